public import Layers
public import Models
public import Tensors

/// What stands between encoder and decoder, with what it learns.
public enum Bottleneck: ParameterContainer {
  /// A sample of the posterior.
  case kl
  /// The nearest of a book of vectors.
  case vq(VectorQuantizer)
  /// Each number rounded to a level.
  case fsq(FiniteScalarQuantizer)

  /// The bottleneck before training.
  ///
  /// - Parameters:
  ///   - settings: what kind it is.
  ///   - latentChannels: C of the model.
  ///   - source: gives a book its first vectors.
  /// - Throws: ``TrainingSettingsError`` if `fsq_levels` doesn't say a number for each channel.
  public init(
    _ settings: BottleneckSettings, latentChannels: Int, using source: inout some RandomSource
  ) throws(TrainingSettingsError) {
    switch settings.kind {
    case .kl: self = .kl
    case .vq: self = .vq(VectorQuantizer(settings, channels: latentChannels, using: &source))
    case .fsq:
      guard settings.fsqLevels.count == latentChannels else {
        throw TrainingSettingsError(
          source: "settings",
          problem: .conflict(
            path: "bottleneck.fsq_levels",
            reason:
              "\(settings.fsqLevels.count) channels have levels, and the model's latents have "
              + "\(latentChannels); give a number for each"))
      }
      self = .fsq(FiniteScalarQuantizer(levels: settings.fsqLevels))
    }
  }

  /// What is decoded; codes are chosen by the posterior's mean.
  ///
  /// - Parameters:
  ///   - posterior: what the encoder gave.
  ///   - noise: ε of the sample, of the mean's shape; nil to decode the mean. Codes need none.
  /// - Returns: the latents, and how they came about.
  public func callAsFunction(
    _ posterior: DiagonalGaussianDistribution, noise: Tensor?
  ) -> BottleneckOutput {
    switch self {
    case .kl: BottleneckOutput(sampling: posterior, noise: noise)
    case .vq(let quantizer): quantizer(posterior.mean)
    case .fsq(let quantizer): quantizer(posterior.mean)
    }
  }

  /// What is decoded, a sample with noise from `source`, which isn't touched where none is needed.
  public func callAsFunction(
    _ posterior: DiagonalGaussianDistribution, using source: inout some RandomSource
  ) -> BottleneckOutput {
    if case .kl = self { return BottleneckOutput(sampling: posterior, using: &source) }
    return self(posterior, noise: nil)
  }

  /// Takes in what was quantised in a step, after the optimiser's update; only `vq` has to.
  ///
  /// - Parameters:
  ///   - quantization: that of the step.
  ///   - source: chooses what replaces vectors without use.
  public mutating func update(
    with quantization: Quantization?, using source: inout some RandomSource
  ) {
    guard case .vq(var quantizer) = self, let quantization else { return }
    quantizer.update(with: quantization, using: &source)
    self = .vq(quantizer)
  }

  /// Shows each parameter to `visitor`, under its name below `path`.
  public mutating func visitParameters(
    at path: ParameterPath, with visitor: inout some ParameterVisitor
  ) throws {
    guard case .vq(var quantizer) = self else { return }
    try quantizer.visitParameters(at: path, with: &visitor)
    self = .vq(quantizer)
  }
}
