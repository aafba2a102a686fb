public import Layers
public import Tensors

/// The variational autoencoder of latent diffusion models: convolutions, residual blocks, attention
/// in the middle, and a Gaussian posterior.
///
/// Rombach et al. 2021, arXiv:2112.10752; as diffusers' class of this name, whose configuration
/// and parameter names it shares. Loads the autoencoders of Stable Diffusion, SDXL, SD3 and FLUX.1.
public struct AutoencoderKL: Autoencoder {
  /// The class's name in `config.json`.
  public static let className = "AutoencoderKL"

  /// What was built.
  public private(set) var configuration: Configuration
  /// Pictures → moments.
  public var encoder: KLEncoder
  /// Latents → pictures.
  public var decoder: KLDecoder
  /// 1×1, behind the encoder.
  public var quantConv: Conv2d?
  /// 1×1, before the decoder.
  public var postQuantConv: Conv2d?

  /// An autoencoder whose parameters are zero until they are loaded or initialised.
  public init(_ configuration: Configuration) {
    self.configuration = configuration
    encoder = KLEncoder(configuration)
    decoder = KLDecoder(configuration)
    let channels = configuration.latentChannels
    if configuration.useQuantConv {
      quantConv = Conv2d(
        inputChannels: 2 * channels, outputChannels: 2 * channels, kernelSize: 1)
    }
    if configuration.usePostQuantConv {
      postQuantConv = Conv2d(inputChannels: channels, outputChannels: channels, kernelSize: 1)
    }
  }

  /// By how much a latent is smaller than its picture, along each axis.
  public var spatialFactor: Int { 1 << (configuration.blockOutChannels.count - 1) }

  /// The number of a latent's channels.
  public var latentChannels: Int { configuration.latentChannels }

  /// Whether encoding gives a distribution with a variance.
  public var hasPosterior: Bool { true }

  /// The decoder's first block at full resolution takes the channels of the level below: it holds
  /// them, their normalised copy and its first result.
  public var workingBytesPerPixel: Int {
    let channels = configuration.blockOutChannels
    return (2 * channels[min(1, channels.count - 1)] + channels[0]) * MemoryLayout<Float>.stride
  }

  /// How latents are brought to the range that a diffusion model works in.
  public var latentScaling: LatentScaling {
    get {
      LatentScaling(
        factor: configuration.scalingFactor, shift: configuration.shiftFactor ?? 0,
        mean: configuration.latentsMean, standardDeviation: configuration.latentsStd)
    }
    set {
      configuration.scalingFactor = newValue.factor
      configuration.shiftFactor = newValue.shift
      configuration.latentsMean = newValue.mean
      configuration.latentsStd = newValue.standardDeviation
    }
  }

  /// What a place of a large latent sees in attention; nil for all of it.
  public var attentionWindow: Int? {
    get {
      let blocks = encoder.downBlocks.map(\.attentions) + decoder.upBlocks.map(\.attentions)
      return (blocks + [encoder.midBlock.attentions, decoder.midBlock.attentions])
        .joined().first?.window
    }
    set {
      encoder.midBlock.attentions.setWindow(newValue)
      decoder.midBlock.attentions.setWindow(newValue)
      for index in encoder.downBlocks.indices {
        encoder.downBlocks[index].attentions.setWindow(newValue)
      }
      for index in decoder.upBlocks.indices {
        decoder.upBlocks[index].attentions.setWindow(newValue)
      }
    }
  }

  /// The posterior of pictures `[N, H, W, 3]`.
  public func encode(_ pictures: Tensor) -> DiagonalGaussianDistribution {
    let moments = encoder(pictures)
    return DiagonalGaussianDistribution(moments: quantConv?(moments) ?? moments)
  }

  /// The pictures `[N, H, W, 3]` of latents.
  public func decode(_ latents: Tensor) -> Tensor {
    decoder(postQuantConv?(latents) ?? latents)
  }

  /// Shows each parameter to `visitor`, under its name below `path`.
  public mutating func visitParameters(
    at path: ParameterPath, with visitor: inout some ParameterVisitor
  ) throws {
    try encoder.visitParameters(at: path / "encoder", with: &visitor)
    try quantConv.visitParameters(at: path / "quant_conv", with: &visitor)
    try postQuantConv.visitParameters(at: path / "post_quant_conv", with: &visitor)
    try decoder.visitParameters(at: path / "decoder", with: &visitor)
  }
}

extension [Attention] {
  fileprivate mutating func setWindow(_ window: Int?) {
    for index in indices { self[index].window = window }
  }
}
