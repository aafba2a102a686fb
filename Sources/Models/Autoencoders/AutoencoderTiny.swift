public import Layers
public import Tensors

/// A small deterministic autoencoder of plain convolutions, as diffusers' class of this name.
///
/// Loads TAESD (for Stable Diffusion's latents), TAESDXL, TAESD3, TAEF1 and, with
/// `use_midblock_gn`, TAEF2 (for FLUX.2's). Ollin Boer Bohan, madebyollin/taesd.
public struct AutoencoderTiny: Autoencoder {
  /// The class's name in `config.json`.
  public static let className = "AutoencoderTiny"

  /// What was built.
  public private(set) var configuration: Configuration
  /// Pictures → latents; the list is read from first to last.
  public var encoder: [TinyLayer]
  /// Latents → pictures.
  public var decoder: [TinyLayer]

  /// An autoencoder whose parameters are zero until they are loaded or initialised.
  public init(_ configuration: Configuration) {
    self.configuration = configuration
    encoder = Self.encoder(configuration)
    decoder = Self.decoder(configuration)
  }

  private static func encoder(_ configuration: Configuration) -> [TinyLayer] {
    let channels = configuration.encoderBlockOutChannels
    var layers: [TinyLayer] = []
    for (index, blocks) in configuration.numEncoderBlocks.enumerated() {
      layers.append(
        index == 0
          ? .convolution(.init(from: configuration.inChannels, to: channels[0]))
          : .convolution(.init(from: channels[index], to: channels[index], stride: 2, bias: false)))
      let pools = configuration.useMidblockGN && index == channels.count - 1
      layers += (0..<blocks).map { _ in .block(.init(channels: channels[index], pools: pools)) }
    }
    let last = channels[channels.count - 1]
    return layers + [.convolution(.init(from: last, to: configuration.latentChannels))]
  }

  private static func decoder(_ configuration: Configuration) -> [TinyLayer] {
    let channels = configuration.decoderBlockOutChannels
    var layers: [TinyLayer] = [
      .convolution(.init(from: configuration.latentChannels, to: channels[0])), .relu,
    ]
    for (index, blocks) in configuration.numDecoderBlocks.enumerated() {
      let pools = configuration.useMidblockGN && index == 0
      layers += (0..<blocks).map { _ in .block(.init(channels: channels[index], pools: pools)) }
      if index < channels.count - 1 {
        layers.append(.upsampling)
        layers.append(.convolution(.init(from: channels[index], to: channels[index], bias: false)))
      } else {
        layers.append(
          .convolution(.init(from: channels[index], to: configuration.outChannels)))
      }
    }
    return layers
  }

  /// By how much a latent is smaller than its picture, along each axis.
  public var spatialFactor: Int { 1 << (configuration.numEncoderBlocks.count - 1) }

  /// The number of a latent's channels.
  public var latentChannels: Int { configuration.latentChannels }

  /// Whether encoding gives a distribution with a variance.
  public var hasPosterior: Bool { false }

  /// A block's result takes its input's memory; to and from half the resolution a quarter is added.
  ///
  /// The colours come to it, in −1…1 and in 0…1, and the bands of what lies within a block.
  public var workingBytesPerPixel: Int {
    let channels = max(
      configuration.encoderBlockOutChannels[0],
      configuration.decoderBlockOutChannels[configuration.decoderBlockOutChannels.count - 1])
    return (3 * channels / 2 + 2 * 4) * MemoryLayout<Float>.stride
  }

  /// How latents are brought to the range that a diffusion model works in.
  public var latentScaling: LatentScaling {
    get { LatentScaling(factor: configuration.scalingFactor, shift: configuration.shiftFactor) }
    set {
      configuration.scalingFactor = newValue.factor
      configuration.shiftFactor = newValue.shift
    }
  }

  /// The posterior of pictures `[N, H, W, 3]`.
  public func encode(_ pictures: Tensor) -> DiagonalGaussianDistribution {
    let latents = encoder.run(pictures.affine(scale: 0.5, offset: 0.5))
    return DiagonalGaussianDistribution(mean: latents, logVariance: nil)
  }

  /// The pictures `[N, H, W, 3]` of latents.
  public func decode(_ latents: Tensor) -> Tensor {
    decoder.run(latents.softClamped(to: configuration.latentMagnitude))
      .affine(scale: 2, offset: -1)
  }

  /// Shows each parameter to `visitor`, under its name below `path`.
  public mutating func visitParameters(
    at path: ParameterPath, with visitor: inout some ParameterVisitor
  ) throws {
    try encoder.visitParameters(at: path / "encoder" / "layers", with: &visitor)
    try decoder.visitParameters(at: path / "decoder" / "layers", with: &visitor)
  }
}

/// One entry of an ``AutoencoderTiny``'s lists; its index is part of its parameters' names.
public enum TinyLayer: ParameterContainer {
  /// A 3×3 convolution.
  case convolution(Conv2d)
  /// max(x, 0), applied by the convolution before it.
  case relu
  /// Three convolutions and a residual.
  case block(TinyBlock)
  /// Nearest neighbour ×2, done by the convolution behind it.
  case upsampling

  /// Shows each parameter to `visitor`, under its name below `path`.
  public mutating func visitParameters(
    at path: ParameterPath, with visitor: inout some ParameterVisitor
  ) throws {
    switch self {
    case .convolution(var conv):
      try conv.visitParameters(at: path, with: &visitor)
      self = .convolution(conv)
    case .block(var block):
      try block.visitParameters(at: path, with: &visitor)
      self = .block(block)
    case .relu, .upsampling: break
    }
  }
}

extension Collection<TinyLayer> where Index == Int {
  /// The output of the last layer.
  package func run(_ x: Tensor) -> Tensor {
    var hidden = x
    var upsamples = false
    for (index, layer) in enumerated() {
      switch layer {
      case .convolution(let conv):
        var activation = Activation.identity
        if index + 1 < count, case .relu = self[index + 1] { activation = .relu }
        hidden = conv(hidden, upsampling: upsamples, activation: activation)
        upsamples = false
      case .block(let block): hidden = block(consume hidden)
      case .upsampling: upsamples = true
      case .relu: break
      }
    }
    return hidden
  }
}

extension Conv2d {
  /// A 3×3 convolution of an ``AutoencoderTiny``.
  init(from inputs: Int, to outputs: Int, stride: Int = 1, bias: Bool = true) {
    self.init(
      inputChannels: inputs, outputChannels: outputs, kernelSize: 3, stride: stride, hasBias: bias)
  }
}

/// relu(x + conv(relu(conv(relu(conv(x)))))), as diffusers' `AutoencoderTinyBlock`.
public struct TinyBlock: Layer {
  /// The three convolutions.
  public var convolutions: [Conv2d]
  /// What TAEF2's middle blocks add to their input first.
  public var pool: TinyPool?

  init(channels: Int, pools: Bool) {
    convolutions = (0..<3).map { _ in Conv2d(from: channels, to: channels) }
    pool = pools ? TinyPool(channels: channels) : nil
  }

  /// The block's output, of the same shape.
  public func callAsFunction(_ x: consuming Tensor) -> Tensor {
    if let pool { x = pool(x) }
    return (consume x).residualConvolutions(
      convolutions.map { ChainedConvolution(weight: $0.weight, bias: $0.bias) }, activation: .relu)
  }

  /// Shows each parameter to `visitor`, under its name below `path`.
  public mutating func visitParameters(
    at path: ParameterPath, with visitor: inout some ParameterVisitor
  ) throws {
    for index in convolutions.indices {
      try convolutions[index].visitParameters(at: path / "conv" / (2 * index), with: &visitor)
    }
    try pool.visitParameters(at: path / "pool", with: &visitor)
  }
}

/// x + conv(relu(norm(conv(x)))) with 1×1 convolutions: statistics of the whole picture.
public struct TinyPool: Layer {
  /// To four times the channels.
  public var expand: Conv2d
  /// In four groups.
  public var norm: GroupNorm
  /// Back to the channels.
  public var reduce: Conv2d

  init(channels: Int) {
    expand = Conv2d(
      inputChannels: channels, outputChannels: 4 * channels, kernelSize: 1, hasBias: false)
    norm = GroupNorm(groups: 4, channels: 4 * channels, epsilon: 1e-5)
    reduce = Conv2d(
      inputChannels: 4 * channels, outputChannels: channels, kernelSize: 1, hasBias: false)
  }

  /// The sum, of the same shape.
  public func callAsFunction(_ x: consuming Tensor) -> Tensor {
    let expanded = expand(copy x)
    return reduce(expanded, normalizedBy: norm.normalization(.relu), residual: x)
  }

  /// Shows each parameter to `visitor`, under its name below `path`.
  public mutating func visitParameters(
    at path: ParameterPath, with visitor: inout some ParameterVisitor
  ) throws {
    try expand.visitParameters(at: path / 0, with: &visitor)
    try norm.visitParameters(at: path / 1, with: &visitor)
    try reduce.visitParameters(at: path / 3, with: &visitor)
  }
}
