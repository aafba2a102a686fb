import Glibc
public import Tensors

/// Noise levels to train at, spread as those that matter are.
public enum NoiseLevelSampling {
  /// σ with ln σ ~ N(mean, deviation²).
  ///
  /// Karras et al. 2022, arXiv:2206.00364, Table 1.
  ///
  /// - Returns: `count` numbers above 0.
  public static func logNormalSigmas(
    count: Int, mean: Double = -1.2, deviation: Double = 1.2,
    using source: inout some RandomSource
  ) -> [Double] {
    source.normals(count: count).map { exp(mean + deviation * Double($0)) }
  }

  /// σ of flow matching with ln(σ/(1 − σ)) ~ N(mean, deviation²).
  ///
  /// The middle comes more often than the ends: Esser et al. 2024, arXiv:2403.03206, equation 19.
  ///
  /// - Returns: `count` numbers between 0 and 1.
  public static func logitNormalSigmas(
    count: Int, mean: Double = 0, deviation: Double = 1, using source: inout some RandomSource
  ) -> [Double] {
    source.normals(count: count).map { 1 / (1 + exp(-mean - deviation * Double($0))) }
  }

  /// Timesteps that are equally likely.
  ///
  /// Ho et al. 2020, arXiv:2006.11239, Algorithm 1.
  ///
  /// - Returns: `count` numbers in 0..<`total`.
  public static func uniformTimesteps(
    count: Int, of total: Int, using source: inout some RandomSource
  ) -> [Int] {
    (0..<count).map { _ in Int.random(in: 0..<total, using: &source) }
  }
}
