public import Models
import Tensors

/// What the posteriors of pictures of any sizes look like, channel by channel, so that what is
/// wrong with a model shows.
public struct LatentSurvey: Sendable {
  /// The statistics of the channels; each position of a latent counts as a picture of its own.
  public private(set) var statistics = LatentStatistics()
  /// The least mean of each channel.
  public private(set) var least: [Float] = []
  /// The greatest mean of each channel.
  public private(set) var greatest: [Float] = []
  /// Whether there were variances.
  public private(set) var hasVariance = false
  /// How many latents had infinite or undefined numbers; they aren't in the statistics.
  public private(set) var nonFiniteCount = 0
  private var saturatedLow: [Int] = []
  private var saturatedHigh: [Int] = []

  /// Of no latents yet.
  public init() {}

  /// Takes in the posterior of pictures, `[N, h, w, C]`.
  ///
  /// - Precondition: all have the same number of channels.
  public mutating func add(_ posterior: DiagonalGaussianDistribution) {
    let shape = posterior.mean.shape
    guard posterior.mean.isFinite, posterior.logVariance?.isFinite ?? true else {
      nonFiniteCount += 1
      return
    }
    let channels = shape[-1]
    if least.isEmpty {
      least = [Float](repeating: .infinity, count: channels)
      greatest = [Float](repeating: -.infinity, count: channels)
      saturatedLow = [Int](repeating: 0, count: channels)
      saturatedHigh = saturatedLow
    }
    let means = posterior.mean.span
    for index in 0..<shape.scalarCount {
      let channel = index % channels
      least[channel] = min(least[channel], means[index])
      greatest[channel] = max(greatest[channel], means[index])
    }
    if let logVariance = posterior.logVariance {
      hasVariance = true
      let numbers = logVariance.span
      for index in 0..<shape.scalarCount {
        // The clamp of `DiagonalGaussianDistribution`.
        if numbers[index] <= -30 { saturatedLow[index % channels] += 1 }
        if numbers[index] >= 20 { saturatedHigh[index % channels] += 1 }
      }
    }
    let positions = Shape([shape.scalarCount / channels, 1, 1, channels])
    statistics.add(
      DiagonalGaussianDistribution(
        mean: posterior.mean.reshaped(to: positions),
        logVariance: posterior.logVariance?.reshaped(to: positions)))
  }

  /// How many positions were taken in.
  public var positionCount: Int { statistics.pictureCount }

  /// The share of each channel's log-variances that are clamped at −30, their least value.
  public var saturatedLowShares: [Double] { shares(saturatedLow) }

  /// The share of each channel's log-variances that are clamped at 20, their greatest value.
  public var saturatedHighShares: [Double] { shares(saturatedHigh) }

  private func shares(_ counts: [Int]) -> [Double] {
    counts.map { Double($0) / Double(max(1, positionCount)) }
  }

  /// The mean and standard deviation of latents over all channels, in the range that `scaling` leads
  /// to; what diffusion models expect is 0 and 1.
  ///
  /// - Precondition: something was taken in.
  public func scaled(by scaling: LatentScaling) -> (mean: Double, standardDeviation: Double) {
    let channels = statistics.channels
    precondition(!channels.isEmpty, "statistics of nothing")
    var (sum, squares) = (0.0, 0.0)
    for (index, channel) in channels.enumerated() {
      let scale = Double(scaling.factor / (scaling.standardDeviation?[index] ?? 1))
      let mean = (channel.mean - Double(scaling.mean?[index] ?? scaling.shift)) * scale
      let deviation = channel.standardDeviation * scale
      sum += mean
      squares += mean * mean + deviation * deviation
    }
    let count = Double(channels.count)
    return (sum / count, max(0, squares / count - sum / count * (sum / count)).squareRoot())
  }
}
