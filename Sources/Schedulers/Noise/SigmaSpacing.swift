import Glibc

/// How the noise levels σ of a sampler are spread between the largest and the smallest.
public enum SigmaSpacing: String, CaseIterable, Hashable, Sendable {
  /// As the timesteps are.
  case timesteps
  /// Equal steps of σ^(1/7): Karras et al. 2022, arXiv:2206.00364, equation 5.
  case karras
  /// Equal steps of ln σ.
  case exponential

  /// Noise levels, the largest first; nil where the timesteps give them.
  ///
  /// EDM samples with `karras`, 18 of them from 80 to 0.002.
  ///
  /// - Parameters:
  ///   - largest: the first one, above 0.
  ///   - smallest: the last one, above 0.
  ///   - count: how many, at least 1.
  /// - Returns: `count` numbers.
  public func sigmas(from largest: Double, to smallest: Double, count: Int) -> [Double]? {
    switch self {
    case .timesteps: nil
    case .karras:
      evenlySpaced(pow(largest, 1 / Self.rho), pow(smallest, 1 / Self.rho), count)
        .map { pow($0, Self.rho) }
    case .exponential: evenlySpaced(log(largest), log(smallest), count).map { exp($0) }
    }
  }

  /// ρ, which Karras and others found best for sampling.
  private static let rho = 7.0
}
