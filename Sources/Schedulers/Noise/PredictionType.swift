public import Tensors

/// What a denoiser says about a sample x = signal·x₀ + noise·ε: `prediction_type`.
public enum PredictionType: String, CaseIterable, Hashable, Sendable {
  /// The noise ε (Ho et al. 2020, arXiv:2006.11239).
  case epsilon
  /// v = √ᾱ·ε − √(1 − ᾱ)·x₀ (Salimans and Ho 2022, arXiv:2202.00512).
  case velocity = "v_prediction"
  /// The picture without noise, x₀.
  case sample
  /// The velocity ε − x₀ of a straight path (Lipman et al. 2022, arXiv:2210.02747).
  case flow = "flow_prediction"

  /// The factors with which x₀ is `sample`·x + `output`·(what the denoiser says).
  func originalFactors(at level: NoiseLevel) -> (sample: Double, output: Double) {
    let (signal, noise, scale) = (level.signal, level.noise, level.normalizer)
    switch self {
    case .epsilon: return (1 / signal, -noise / signal)
    case .velocity: return (signal * scale * scale, -noise * scale)
    case .sample: return (0, 1)
    case .flow: return (1 / (signal + noise), -noise / (signal + noise))
    }
  }

  /// The factors with which ε is `sample`·x + `output`·(what the denoiser says).
  func noiseFactors(at level: NoiseLevel) -> (sample: Double, output: Double) {
    let (signal, noise, scale) = (level.signal, level.noise, level.normalizer)
    switch self {
    case .epsilon: return (0, 1)
    case .velocity: return (noise * scale * scale, signal * scale)
    case .sample: return (1 / noise, -signal / noise)
    case .flow: return (1 / (signal + noise), signal / (signal + noise))
    }
  }

  /// The picture without noise, x₀, that a denoiser's output means.
  ///
  /// - Parameters:
  ///   - output: what the denoiser says.
  ///   - sample: x, of the same shape.
  ///   - level: of the sample; its signal isn't 0 where ε is predicted.
  /// - Returns: x₀, of the same shape.
  public func original(_ output: Tensor, sample: Tensor, at level: NoiseLevel) -> Tensor {
    let factors = originalFactors(at: level)
    return combination([(factors.sample, sample), (factors.output, output)])
  }

  /// The noise ε that a denoiser's output means.
  ///
  /// - Parameters:
  ///   - output: what the denoiser says.
  ///   - sample: x, of the same shape.
  ///   - level: of the sample; its noise isn't 0 where x₀ is predicted.
  /// - Returns: ε, of the same shape.
  public func noise(_ output: Tensor, sample: Tensor, at level: NoiseLevel) -> Tensor {
    let factors = noiseFactors(at: level)
    return combination([(factors.sample, sample), (factors.output, output)])
  }

  /// What a denoiser should say, to train it.
  ///
  /// - Parameters:
  ///   - original: x₀, `[N, …]`.
  ///   - noise: ε, of the same shape.
  ///   - levels: that of each image, N of them.
  /// - Returns: the target, of the same shape.
  public func target(original: Tensor, noise: Tensor, levels: [NoiseLevel]) -> Tensor {
    switch self {
    case .epsilon: return noise
    case .sample: return original
    case .flow: return noise - original
    case .velocity:
      return noise.scaled(perImage: levels.map { $0.signal * $0.normalizer })
        - original.scaled(perImage: levels.map { $0.noise * $0.normalizer })
    }
  }
}
