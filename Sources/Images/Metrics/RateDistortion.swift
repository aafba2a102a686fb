import Foundation

/// How many bits a coder needs for which quality: points, and what lies between them.
public struct RateDistortionCurve: Hashable, Sendable {
  /// What one setting of a coder gives, usually as a mean over pictures.
  public struct Point: Hashable, Sendable {
    /// Bits for each pixel; above 0.
    public var bitsPerPixel: Double
    /// The quality, such as the PSNR in decibels; more is better.
    public var quality: Double

    /// A point.
    public init(bitsPerPixel: Double, quality: Double) {
      self.bitsPerPixel = bitsPerPixel
      self.quality = quality
    }
  }

  /// The coder's name.
  public var name: String
  /// The points in rising order of quality.
  public let points: [Point]

  /// A curve through points, in whatever order.
  public init(name: String, points: [Point]) {
    self.name = name
    self.points = points.sorted { ($0.quality, $0.bitsPerPixel) < ($1.quality, $1.bitsPerPixel) }
  }

  /// The curve without the points that another one beats: at most as many bits for at least the
  /// quality.
  public var front: RateDistortionCurve {
    var front: [Point] = []
    // From the best quality down, each point must save bits.
    for point in points.reversed() {
      if let last = front.last {
        guard point.bitsPerPixel < last.bitsPerPixel else { continue }
        // The same quality for fewer bits.
        if point.quality == last.quality { front.removeLast() }
      }
      front.append(point)
    }
    return RateDistortionCurve(name: name, points: front)
  }

  /// How many of the points have a quality between the least and the greatest of `other`.
  public func pointCount(withinRangeOf other: RateDistortionCurve) -> Int {
    guard let low = other.points.first?.quality, let high = other.points.last?.quality else {
      return 0
    }
    return points.count { (low...high).contains($0.quality) }
  }

  /// How much more rate than `reference` this curve needs for the same quality, as a part: −0.1 is
  /// 10 % less.
  ///
  /// The Bjøntegaard delta rate (VCEG-M33, 2001): exp of the mean difference of ln(rate) over the
  /// range of qualities that both curves have, minus 1. Between its points ln(rate) is a piecewise
  /// cubic that doesn't overshoot (PCHIP, Fritsch and Butland 1984), as JVET's common test
  /// conditions have it, and not Bjøntegaard's single polynomial.
  ///
  /// - Returns: nil where the curves share no range, one has fewer than two points, a rate isn't
  ///   above 0, or two points have the same quality.
  public func rateDifference(from reference: RateDistortionCurve) -> Double? {
    guard let own = LogRate(self), let other = LogRate(reference) else { return nil }
    let low = max(own.qualities[0], other.qualities[0])
    let high = min(
      own.qualities[own.qualities.count - 1], other.qualities[other.qualities.count - 1])
    guard high > low else { return nil }
    let difference = own.integral(low, high) - other.integral(low, high)
    return exp(difference / (high - low)) - 1
  }
}

/// ln(rate) over quality as a piecewise cubic.
private struct LogRate {
  let qualities: [Double]
  private let values: [Double]
  private let slopes: [Double]

  init?(_ curve: RateDistortionCurve) {
    let points = curve.points
    let isUsable = points.allSatisfy {
      $0.bitsPerPixel > 0 && $0.bitsPerPixel.isFinite && $0.quality.isFinite
    }
    guard points.count >= 2, isUsable,
      zip(points, points.dropFirst()).allSatisfy({ $0.quality < $1.quality })
    else { return nil }
    qualities = points.map(\.quality)
    values = points.map { log($0.bitsPerPixel) }
    slopes = Self.slopes(qualities, values)
  }

  /// The derivatives at the points.
  ///
  /// Inside, the harmonic mean of the neighbouring secants, weighted by the intervals; 0 where
  /// their signs differ. At the ends, a one-sided three-point formula that keeps the shape.
  private static func slopes(_ x: [Double], _ y: [Double]) -> [Double] {
    let h = zip(x, x.dropFirst()).map { $1 - $0 }
    let secants = zip(zip(y, y.dropFirst()), h).map { ($0.1 - $0.0) / $1 }
    guard secants.count >= 2 else { return [secants[0], secants[0]] }
    let last = secants.count - 1
    let inner = (1...last).map { k in
      guard secants[k - 1] * secants[k] > 0 else { return 0.0 }
      let (before, after) = (2 * h[k] + h[k - 1], h[k] + 2 * h[k - 1])
      return (before + after) / (before / secants[k - 1] + after / secants[k])
    }
    let first = endSlope(h[0], h[1], secants[0], secants[1])
    return [first] + inner + [endSlope(h[last], h[last - 1], secants[last], secants[last - 1])]
  }

  private static func endSlope(
    _ h: Double, _ nextH: Double, _ secant: Double, _ nextSecant: Double
  ) -> Double {
    let slope = ((2 * h + nextH) * secant - h * nextSecant) / (h + nextH)
    if slope * secant <= 0 { return 0 }
    if secant * nextSecant < 0 && abs(slope) > 3 * abs(secant) { return 3 * secant }
    return slope
  }

  /// The integral over a range of qualities within the curve's.
  func integral(_ low: Double, _ high: Double) -> Double {
    var sum = 0.0
    for k in 0..<qualities.count - 1 {
      let (start, end) = (max(low, qualities[k]), min(high, qualities[k + 1]))
      if start < end { sum += antiderivative(k, end) - antiderivative(k, start) }
    }
    return sum
  }

  /// The integral of the cubic of interval k from the interval's start, in Hermite's form.
  private func antiderivative(_ k: Int, _ quality: Double) -> Double {
    let h = qualities[k + 1] - qualities[k]
    let t = (quality - qualities[k]) / h
    let (t2, t3, t4) = (t * t, t * t * t, t * t * t * t)
    return h
      * (values[k] * (t4 / 2 - t3 + t) + h * slopes[k] * (t4 / 4 - 2 * t3 / 3 + t2 / 2)
        + values[k + 1] * (t3 - t4 / 2) + h * slopes[k + 1] * (t4 / 4 - t3 / 3))
  }
}
