/// Logarithm and circle functions that give the same bits on every machine.
///
/// A system's own differ in the last place from one C library to the next. These use only
/// operations that IEEE 754 rounds correctly (and Swift doesn't fuse), so they can't differ; their
/// relative error is around 1e-15, and results are rounded to float32 afterwards.
package enum ElementaryFunctions {
  /// The natural logarithm of a finite, normal, positive `x`.
  ///
  /// With x = m·2^e and √½ ≤ m < √2: ln x = e·ln 2 + 2·artanh s, s = (m − 1)/(m + 1), |s| < 0.172.
  package static func logarithm(_ x: Double) -> Double {
    var mantissa = x.significand
    var exponent = Double(x.exponent)
    if mantissa > 1.4142135623730951 {
      mantissa /= 2
      exponent += 1
    }
    let s = (mantissa - 1) / (mantissa + 1)
    let t = s * s
    // artanh s = s·(1 + t/3 + t²/5 + …); the first term left out is below 2e-16.
    var series = 1.0 / 19
    series = series * t + 1.0 / 17
    series = series * t + 1.0 / 15
    series = series * t + 1.0 / 13
    series = series * t + 1.0 / 11
    series = series * t + 1.0 / 9
    series = series * t + 1.0 / 7
    series = series * t + 1.0 / 5
    series = series * t + 1.0 / 3
    return exponent * 0.6931471805599453 + 2 * (s + s * t * series)
  }

  /// The cosine and sine of 2π·`turns`, for `turns` in 0...1.
  package static func circle(turns: Double) -> (cosine: Double, sine: Double) {
    // Exact: a quarter turn has four exact multiples, and subtracting the nearest is exact.
    let quarter = (turns * 4).rounded()
    return circle(remainder: (turns - quarter / 4) * 6.283185307179586, quarter: Int(quarter))
  }

  /// The cosine and sine of `angle`, for `angle` in 0...2π.
  package static func circle(radians angle: Double) -> (cosine: Double, sine: Double) {
    let quarter = (angle * 0.6366197723675814).rounded()
    // π/2 in two parts, the first with 33 bits, so that its product with 0…4 is exact.
    let remainder = (angle - quarter * 1.5707963267341256) - quarter * 6.077100506506192e-11
    return circle(remainder: remainder, quarter: Int(quarter))
  }

  /// The cosine and sine of `quarter`·π/2 + x, by Taylor's series for |x| ≤ π/4.
  private static func circle(
    remainder x: Double, quarter: Int
  ) -> (cosine: Double, sine: Double) {
    let t = x * x
    var s = -1.0 / 1_307_674_368_000
    s = s * t + 1.0 / 6_227_020_800
    s = s * t - 1.0 / 39_916_800
    s = s * t + 1.0 / 362_880
    s = s * t - 1.0 / 5_040
    s = s * t + 1.0 / 120
    s = s * t - 1.0 / 6
    let sine = x + x * t * s
    var c = 1.0 / 20_922_789_888_000
    c = c * t - 1.0 / 87_178_291_200
    c = c * t + 1.0 / 479_001_600
    c = c * t - 1.0 / 3_628_800
    c = c * t + 1.0 / 40_320
    c = c * t - 1.0 / 720
    c = c * t + 1.0 / 24
    let cosine = 1 - t / 2 + t * t * c
    switch quarter & 3 {
    case 0: return (cosine, sine)
    case 1: return (-sine, cosine)
    case 2: return (-cosine, -sine)
    default: return (sine, -cosine)
    }
  }
}
