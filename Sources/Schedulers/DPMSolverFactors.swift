import Glibc

/// What a step of DPM-Solver multiplies the sample, the predictions and the noise with.
///
/// With λ = ln(α/σ) and h = λ' − λ, the integral over λ of e^λ times a polynomial through the
/// predictions m is exact: D₀ = m₀, D₁ and D₂ its derivatives times h and h², from divided
/// differences. `heun` is that; `midpoint` has ½ for the factor of D₁, which is as good to second
/// order.
struct DPMSolverFactors {
  /// Of x.
  let sample: Double
  /// Of the predictions, the newest first.
  let predictions: [Double]
  /// Of the noise.
  let noise: Double

  /// - Parameters:
  ///   - algorithm: the equation.
  ///   - usesHeun: whether D₁ of a second-order step has its exact factor.
  ///   - from: the levels of the predictions, the newest first; as many as the order.
  ///   - to: the level that is wanted.
  init(
    _ algorithm: DPMSolverMultistepScheduler.Algorithm, usesHeun: Bool, from: [NoiseLevel],
    to: NoiseLevel
  ) {
    let h = to.logSNR - from[0].logSNR
    guard h != 0 else {
      (sample, predictions, noise) = (1, from.map { _ in 0 }, 0)
      return
    }
    let exact = Self.derivativeFactors(algorithm, h: h, to: to)
    (sample, noise) = Self.outerFactors(algorithm, h: h, from: from[0], to: to)
    var factors = [exact.zeroth, exact.first, exact.second]
    if from.count == 2, !usesHeun { factors[1] = exact.zeroth / 2 }
    predictions = Self.predictionFactors(
      factors, distances: zip(from, from.dropFirst()).map { ($0.logSNR - $1.logSNR) / h })
  }

  /// The factors of x and of the noise.
  private static func outerFactors(
    _ algorithm: DPMSolverMultistepScheduler.Algorithm, h: Double, from: NoiseLevel,
    to: NoiseLevel
  ) -> (sample: Double, noise: Double) {
    switch algorithm {
    case .dpmSolverPlusPlus: (to.noise / from.noise, 0)
    case .dpmSolver: (to.signal / from.signal, 0)
    case .stochasticDPMSolverPlusPlus:
      (to.noise / from.noise * exp(-h), to.noise * (-expm1(-2 * h)).squareRoot())
    case .stochasticDPMSolver:
      (to.signal / from.signal, to.noise * expm1(2 * h).squareRoot())
    }
  }

  /// The factors of D₀, D₁ and D₂.
  private static func derivativeFactors(
    _ algorithm: DPMSolverMultistepScheduler.Algorithm, h: Double, to: NoiseLevel
  ) -> (zeroth: Double, first: Double, second: Double) {
    switch algorithm {
    case .dpmSolverPlusPlus:
      let e = expm1(-h)
      return (
        -to.signal * e, to.signal * (e / h + 1), -to.signal * ((e + h) / (h * h) - 0.5)
      )
    case .dpmSolver:
      let e = expm1(h)
      return (
        -to.noise * e, -to.noise * (e / h - 1), -to.noise * ((e - h) / (h * h) - 0.5)
      )
    case .stochasticDPMSolverPlusPlus:
      let e = -expm1(-2 * h)
      return (
        to.signal * e, to.signal * (1 - e / (2 * h)),
        to.signal * ((e - 2 * h) / (4 * h * h) - 0.5)
      )
    case .stochasticDPMSolver:
      let e = expm1(h)
      return (-2 * to.noise * e, -2 * to.noise * (e / h - 1), 0)
    }
  }

  /// The factors of the predictions from those of the derivatives.
  ///
  /// - Parameters:
  ///   - factors: those of D₀, D₁ and D₂.
  ///   - distances: r₀ and r₁, from each level to the one before it, in units of h; one fewer than
  ///     the order.
  /// - Returns: those of m₀, m₁ and m₂, as many as the order.
  private static func predictionFactors(
    _ factors: [Double], distances: [Double]
  ) -> [Double] {
    switch distances.count {
    case 0: return [factors[0]]
    case 1:
      // D₁ = (m₀ − m₁)/r₀
      let first = factors[1] / distances[0]
      return [factors[0] + first, -first]
    default:
      // a = (m₀ − m₁)/r₀, b = (m₁ − m₂)/r₁, D₁ = a + r₀·(a − b)/(r₀ + r₁), D₂ = (a − b)/(r₀ + r₁)
      let (r0, r1) = (distances[0], distances[1])
      let curvature = (factors[1] * r0 + factors[2]) / (r0 + r1)
      let (a, b) = ((factors[1] + curvature) / r0, -curvature / r1)
      return [factors[0] + a, b - a, -b]
    }
  }
}
