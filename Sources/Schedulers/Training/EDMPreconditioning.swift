import Glibc
public import Tensors

/// A network F made a denoiser D(x; σ) = c_skip·x + c_out·F(c_in·x; c_noise), so that its input, its
/// target and its loss have the same size at all noise levels.
///
/// Karras et al. 2022, "Elucidating the Design Space of Diffusion-Based Generative Models",
/// arXiv:2206.00364, equation 7 and Table 1.
public struct EDMPreconditioning: Hashable, Sendable {
  /// The standard deviation of the data.
  public let sigmaData: Double

  /// The preconditioning for data of this standard deviation.
  ///
  /// - Precondition: it is above 0.
  public init(sigmaData: Double = 0.5) {
    precondition(sigmaData > 0, "data with the standard deviation \(sigmaData)")
    self.sigmaData = sigmaData
  }

  /// c_skip = σd²/(σ² + σd²), how much of x is kept.
  public func skipScale(sigma: Double) -> Double {
    sigmaData * sigmaData / (sigma * sigma + sigmaData * sigmaData)
  }

  /// c_out = σ·σd/√(σ² + σd²), what the network's output is multiplied with.
  public func outputScale(sigma: Double) -> Double {
    sigma * sigmaData * inputScale(sigma: sigma)
  }

  /// c_in = 1/√(σ² + σd²), what the network's input is multiplied with.
  public func inputScale(sigma: Double) -> Double {
    1 / (sigma * sigma + sigmaData * sigmaData).squareRoot()
  }

  /// c_noise = ¼·ln σ, what the network is told instead of a timestep; σ is above 0.
  public func noiseCondition(sigma: Double) -> Double { log(sigma) / 4 }

  /// λ = (σ² + σd²)/(σ·σd)², the weight of the denoiser's square error; σ is above 0.
  public func weight(sigma: Double) -> Double {
    let scale = outputScale(sigma: sigma)
    return 1 / (scale * scale)
  }

  /// The network's input for pictures with noise.
  ///
  /// - Parameters:
  ///   - sample: x₀ + σ·ε, `[N, …]`.
  ///   - sigmas: N noise levels.
  /// - Returns: c_in·x.
  public func input(_ sample: Tensor, sigmas: [Double]) -> Tensor {
    sample.scaled(perImage: sigmas.map(inputScale))
  }

  /// The pictures without noise that the network's output means.
  ///
  /// - Parameters:
  ///   - output: F, `[N, …]`.
  ///   - sample: x₀ + σ·ε, of the same shape.
  ///   - sigmas: N noise levels.
  /// - Returns: D(x; σ), of the same shape.
  public func denoised(_ output: Tensor, sample: Tensor, sigmas: [Double]) -> Tensor {
    sample.scaled(perImage: sigmas.map(skipScale))
      + output.scaled(perImage: sigmas.map(outputScale))
  }

  /// What the network should say: (x₀ − c_skip·x)/c_out.
  ///
  /// The mean square of its error is the weighted one of the denoiser's.
  ///
  /// - Parameters:
  ///   - original: x₀, `[N, …]`.
  ///   - sample: x₀ + σ·ε, of the same shape.
  ///   - sigmas: N noise levels, above 0.
  /// - Returns: the target, of the same shape.
  public func target(original: Tensor, sample: Tensor, sigmas: [Double]) -> Tensor {
    original.scaled(perImage: sigmas.map { 1 / outputScale(sigma: $0) })
      - sample.scaled(perImage: sigmas.map { skipScale(sigma: $0) / outputScale(sigma: $0) })
  }
}

extension EDMPreconditioning {
  /// The weight of the square error of what a denoiser says, so that its picture's error weighs
  /// ``weight(sigma:)``.
  ///
  /// - Parameters:
  ///   - prediction: what it says.
  ///   - level: of its input; with some noise.
  /// - Returns: a factor above 0, or infinite where a picture can't be told from the output.
  public func weight(of prediction: PredictionType, at level: NoiseLevel) -> Double {
    let factor = prediction.originalFactors(at: level).output
    return (1 / (sigmaData * sigmaData) + 1 / (level.sigma * level.sigma)) * factor * factor
  }
}
