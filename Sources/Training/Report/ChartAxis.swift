import Foundation

/// One axis of a chart: which values it shows, and where its ticks stand.
struct ChartAxis {
  let isLogarithmic: Bool
  /// The ends, as values.
  let low: Double
  let high: Double

  /// An axis that shows all values; a logarithmic one shows those above 0.
  init(showing values: [Double], isLogarithmic: Bool) {
    self.isLogarithmic = isLogarithmic
    let shown = values.filter { Self.canShow($0, isLogarithmic) }
    var (low, high) = (shown.min() ?? (isLogarithmic ? 0.1 : 0), shown.max() ?? 1)
    if low == high {
      if isLogarithmic {
        (low, high) = (low / 2, high * 2)
      } else {
        let margin = low == 0 ? 1 : abs(low) / 10
        (low, high) = (low - margin, high + margin)
      }
    }
    (self.low, self.high) = (low, high)
  }

  /// Whether a value can be shown; beyond these limits differences and ratios would overflow.
  private static func canShow(_ value: Double, _ isLogarithmic: Bool) -> Bool {
    value.magnitude < 1e100 && (!isLogarithmic || value > 1e-100)
  }

  /// Where a value stands, 0 at the low end and 1 at the high one; nil if it isn't shown.
  func position(of value: Double) -> Double? {
    guard Self.canShow(value, isLogarithmic) else { return nil }
    return isLogarithmic
      ? log(value / low) / log(high / low) : (value - low) / (high - low)
  }

  /// The round values within the ends, about `count` of them.
  func ticks(count: Int) -> [Double] {
    let decades = isLogarithmic ? log10(high / low) : 0
    return isLogarithmic && decades >= 1 ? logarithmicTicks(decades, count) : linearTicks(count)
  }

  private func linearTicks(_ count: Int) -> [Double] {
    let rough = (high - low) / Double(max(1, count))
    let power = pow(10, floor(log10(rough)))
    let step = [1, 2, 5, 10].first { $0 * power >= rough * 0.7 }.map { $0 * power } ?? rough
    let first = Int((low / step - 1e-9).rounded(.up))
    let last = Int((high / step + 1e-9).rounded(.down))
    guard first <= last, last - first < 100 else { return [low, high] }
    return (first...last).map { Double($0) * step }
  }

  private func logarithmicTicks(_ decades: Double, _ count: Int) -> [Double] {
    let (first, last) = (Int(log10(low).rounded(.down)), Int(log10(high).rounded(.up)))
    let stride = max(1, Int((decades / Double(max(1, count))).rounded(.up)))
    let factors: [Double] = decades < 2 ? [1, 2, 5] : [1]
    return Swift.stride(from: first, through: last, by: stride).flatMap { exponent in
      factors.map { $0 * pow(10, Double(exponent)) }
    }.filter { $0 >= low * 0.999_999 && $0 <= high * 1.000_001 }
  }
}
