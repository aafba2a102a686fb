import Pipelines

/// How far a run is, in a line for people.
public struct ProgressLine: Sendable {
  /// How many steps were made.
  public var step: Int
  /// How many the run has.
  public var stepCount: Int
  /// The terms of the loss by name, the whole first; as they count, weights included.
  public var terms: [(name: String, value: Double)] = []
  /// The divergence of each latent channel in nats a position.
  public var klPerChannel: [Double] = []
  /// Training pictures a second.
  public var imagesPerSecond: Double?
  /// The time that the remaining steps will take.
  public var remaining: Duration?

  /// A channel whose divergence is above this many nats a position is in use.
  public static let activityThreshold = 0.01

  /// A line about a step.
  public init(step: Int, stepCount: Int) {
    self.step = step
    self.stepCount = stepCount
  }

  /// How many channels are in use: their divergence is above ``activityThreshold``.
  ///
  /// (Burda et al. 2015, arXiv:1509.00519, count units whose mean varies by more than 0.01; a
  /// channel that doesn't vary has no divergence, either.)
  public var activeChannelCount: Int {
    klPerChannel.count { $0 > Self.activityThreshold }
  }

  /// The line: `step 1200/20000 (6%)  loss 0.0421  l1 0.0400  …  KL 0.8–2.1 nats, 4/4 active
  /// 31.2 images/s  2:10:00 left`.
  ///
  /// - Parameter columns: The terminal's width; parts that don't fit are left out from the end,
  ///   except the time that is left. Nil for any width.
  /// - Returns: The line.
  public func text(columns: Int? = nil) -> String {
    var parts = ["step \(step)/\(stepCount) (\(percent)%)"]
    parts += terms.map { "\($0.name) \($0.value.significantText)" }
    if let low = klPerChannel.min(), let high = klPerChannel.max() {
      let range = "KL \(low.significantText)–\(high.significantText) nats"
      parts.append("\(range), \(activeChannelCount)/\(klPerChannel.count) active")
    }
    if let imagesPerSecond { parts.append("\(imagesPerSecond.significantText) images/s") }
    let last = remaining.map { ["\($0.clockText) left"] } ?? []
    guard let columns else { return (parts + last).joined(separator: "  ") }
    while parts.count > 1, (parts + last).joined(separator: "  ").count > columns {
      parts.removeLast()
    }
    return String((parts + last).joined(separator: "  ").prefix(max(0, columns)))
  }

  private var percent: Int { stepCount > 0 ? step * 100 / stepCount : 100 }
}

extension Double {
  /// Three digits that count: `0.0421`, `31.2`, `1.2e-05`, `12345`.
  var significantText: String {
    guard isFinite else { return isNaN ? "NaN" : self < 0 ? "−∞" : "∞" }
    guard self != 0 else { return "0" }
    let size = magnitude
    if size >= 999.5 && size < 1e6 { return text(digits: 0) }
    if size >= 1e-3 && size < 999.5 {
      let digits =
        size < 0.009995
        ? 5 : size < 0.09995 ? 4 : size < 0.9995 ? 3 : size < 9.995 ? 2 : size < 99.95 ? 1 : 0
      return text(digits: digits)
    }
    var (mantissa, exponent) = (self, 0)
    while mantissa.magnitude >= 9.995 { (mantissa, exponent) = (mantissa / 10, exponent + 1) }
    while mantissa.magnitude < 0.9995 { (mantissa, exponent) = (mantissa * 10, exponent - 1) }
    return "\(mantissa.text(digits: 2))e\(exponent)"
  }
}
