import Glibc
public import Tensors

/// How much of a sample is signal and how much is noise: x = signal·x₀ + noise·ε.
///
/// All schedulers speak of levels, whatever their diffusion process: `signal` and `noise` are √ᾱ and
/// √(1 − ᾱ) where the variance is preserved, 1 and σ where it explodes, 1 − σ and σ in flow
/// matching.
public struct NoiseLevel: Hashable, Sendable {
  /// What x₀ is multiplied with, in 0…1.
  public let signal: Double
  /// What ε is multiplied with, 0 or more.
  public let noise: Double

  /// A level with these factors.
  public init(signal: Double, noise: Double) {
    self.signal = signal
    self.noise = noise
  }

  /// The level ᾱ of a process that preserves variance.
  ///
  /// Ho et al. 2020, arXiv:2006.11239, equation 4.
  public init(alphaCumprod: Double) {
    self.init(signal: alphaCumprod.squareRoot(), noise: (1 - alphaCumprod).squareRoot())
  }

  /// The level σ of a process that only adds noise: x₀ + σ·ε.
  ///
  /// Karras et al. 2022, arXiv:2206.00364.
  public static func exploding(sigma: Double) -> NoiseLevel {
    NoiseLevel(signal: 1, noise: sigma)
  }

  /// The level between picture (σ = 0) and noise (σ = 1) of flow matching: (1 − σ)·x₀ + σ·ε.
  ///
  /// Lipman et al. 2022, arXiv:2210.02747; Liu et al. 2022, arXiv:2209.03003.
  public static func flow(sigma: Double) -> NoiseLevel {
    NoiseLevel(signal: 1 - sigma, noise: sigma)
  }

  /// The level σ = noise ÷ signal, scaled so that the variance is preserved.
  static func preserving(sigma: Double) -> NoiseLevel {
    let signal = 1 / (sigma * sigma + 1).squareRoot()
    return NoiseLevel(signal: signal, noise: sigma * signal)
  }

  /// The noise of a sample that is divided by its signal; infinite where there is none.
  public var sigma: Double { noise / signal }

  /// The signal-to-noise ratio signal² ÷ noise²: ᾱ/(1 − ᾱ).
  public var snr: Double { (signal * signal) / (noise * noise) }

  /// λ = ln(signal ÷ noise), half the logarithm of the signal-to-noise ratio; infinite without noise.
  var logSNR: Double { log(signal) - log(noise) }

  /// The factor that gives variance 1, if the data have it: 1/√(signal² + noise²).
  var normalizer: Double { 1 / (signal * signal + noise * noise).squareRoot() }

  /// signal·x₀ + noise·ε: a picture with noise, as a denoiser is given it.
  ///
  /// - Parameters:
  ///   - original: x₀.
  ///   - noise: ε, standard normal, of the same shape.
  /// - Returns: a sample of the same shape.
  public func addNoise(to original: Tensor, noise: Tensor) -> Tensor {
    combination([(signal, original), (self.noise, noise)])
  }

  /// Pictures with noise, each with its own level.
  ///
  /// - Parameters:
  ///   - original: x₀, `[N, …]`.
  ///   - noise: ε, standard normal, of the same shape.
  ///   - levels: N of them.
  /// - Returns: samples of the same shape.
  public static func addNoise(
    to original: Tensor, noise: Tensor, levels: [NoiseLevel]
  ) -> Tensor {
    original.scaled(perImage: levels.map(\.signal)) + noise.scaled(perImage: levels.map(\.noise))
  }
}

/// The sum of tensors, each times its factor; those with the factor 0 aren't read.
func combination(_ terms: [(factor: Double, tensor: Tensor)]) -> Tensor {
  let counted = terms.filter { $0.factor != 0 }
  guard let first = counted.first else { return Tensor(zeros: terms[0].tensor.shape) }
  return counted.dropFirst().reduce(first.tensor * Float(first.factor)) {
    $0 + $1.tensor * Float($1.factor)
  }
}

extension Tensor {
  /// Each image times its own factor.
  ///
  /// - Returns: a tensor of the same shape.
  /// - Precondition: self is `[N, …]`, and there are N factors.
  package func scaled(perImage factors: [Double]) -> Tensor {
    precondition(
      shape.rank > 0 && shape[0] == factors.count, "\(factors.count) levels for \(shape)")
    let images = factors.count
    let flat: Shape = [images, 1, shape.scalarCount / max(images, 1), 1]
    let scale = Tensor(factors.map { Float($0) }, shape: [images, 1, 1, 1])
    return reshaped(to: flat).modulated(scale: scale).reshaped(to: shape)
  }
}
