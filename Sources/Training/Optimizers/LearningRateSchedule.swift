import Foundation

/// The learning rate of each step of a run.
public struct LearningRateSchedule: Hashable, Sendable {
  /// What the rate does after the warm-up.
  public enum Shape: String, CaseIterable, Hashable, Sendable {
    /// It stays at its peak.
    case constant
    /// It falls along half a cosine to its floor, at the last step: Loshchilov and Hutter 2016,
    /// "SGDR", arXiv:1608.03983, equation 5, without restarts.
    case cosine
  }

  /// What the rate does after the warm-up.
  public var shape: Shape
  /// The greatest rate.
  public var peak: Double
  /// For how many steps the rate rises in a line: step s of w has (s + 1)/w of the peak.
  public var warmUpStepCount: Int
  /// How many steps the run has.
  public var stepCount: Int
  /// The part of the peak that the cosine ends at, 0…1.
  public var floor: Double

  /// A schedule.
  ///
  /// - Precondition: no number is negative, and the floor isn't above 1.
  public init(
    shape: Shape = .constant, peak: Double, warmUpStepCount: Int = 0, stepCount: Int,
    floor: Double = 0
  ) {
    precondition(
      peak >= 0 && warmUpStepCount >= 0 && stepCount >= 0 && (0...1).contains(floor),
      "a rate of \(peak) with a floor of \(floor), and \(warmUpStepCount) of \(stepCount) steps")
    self.shape = shape
    self.peak = peak
    self.warmUpStepCount = warmUpStepCount
    self.stepCount = stepCount
    self.floor = floor
  }

  /// The rate of a step, counted from 0; beyond the last step that of the last.
  public func rate(atStep step: Int) -> Double {
    if step < warmUpStepCount { return peak * Double(step + 1) / Double(warmUpStepCount) }
    guard shape == .cosine else { return peak }
    let length = max(1, stepCount - 1 - warmUpStepCount)
    let progress = min(1, Double(step - warmUpStepCount) / Double(length))
    return peak * (floor + (1 - floor) * (1 + cos(.pi * progress)) / 2)
  }
}
