import Glibc

/// How the noise that is added at a training step grows: `beta_schedule`.
public enum BetaSchedule: String, CaseIterable, Hashable, Sendable {
  /// Equal steps from β₀ to β₁ (Ho et al. 2020, arXiv:2006.11239).
  case linear
  /// Equal steps from √β₀ to √β₁, squared: that of latent diffusion and Stable Diffusion.
  case scaledLinear = "scaled_linear"
  /// ᾱ is a squared cosine of time, and β at most 0.999 (Nichol and Dhariwal 2021,
  /// arXiv:2102.09672, equation 17).
  case cosine = "squaredcos_cap_v2"
  /// From β₀ to β₁ along a sigmoid of −6…6 (Xu et al. 2022, GeoDiff).
  case sigmoid

  /// The noise of each step, float32 numbers as PyTorch computes them.
  ///
  /// - Parameters:
  ///   - start: β₀; the cosine has no use for it.
  ///   - end: β₁; the cosine has no use for it.
  ///   - count: of steps, at least 1.
  /// - Returns: `count` numbers in 0…1.
  func betas(start: Double, end: Double, count: Int) -> [Float] {
    switch self {
    case .linear: evenlySpaced(start, end, count).map { Float($0) }
    case .scaledLinear:
      evenlySpaced(start.squareRoot(), end.squareRoot(), count).map { Float($0) * Float($0) }
    case .cosine:
      (0..<count).map { step in
        let last = Self.cosineAlpha(Double(step) / Double(count))
        let next = Self.cosineAlpha(Double(step + 1) / Double(count))
        return Float(min(1 - next / last, 0.999))
      }
    case .sigmoid:
      evenlySpaced(-6, 6, count).map { Float(1 / (1 + exp(-$0)) * (end - start) + start) }
    }
  }

  private static func cosineAlpha(_ time: Double) -> Double {
    let root = cos((time + 0.008) / 1.008 * .pi / 2)
    return root * root
  }
}

/// `count` numbers at equal distances, `start` and `end` among them; `start` alone if one is wanted.
func evenlySpaced(_ start: Double, _ end: Double, _ count: Int) -> [Double] {
  guard count > 1 else { return [start] }
  let step = (end - start) / Double(count - 1)
  return (0..<count).map { $0 == count - 1 ? end : start + Double($0) * step }
}
