public import Layers
public import Tensors

/// A small autoencoder for processors: plain convolutions where pixels are few, and a linear map
/// beside them.
///
/// Squares of pixels become channels first, so that no convolution runs at full resolution. There
/// are no norms and no attention: a latent depends on the pixels around it alone, whatever the
/// picture's size. With `linear_shortcut` the convolutions only add to what a linear map of squares
/// gives, at best that of the principal components.
///
/// This project's own; a `config.json` with this class's name is nothing that diffusers reads.
public struct AutoencoderCompact: Autoencoder {
  /// The class's name in `config.json`.
  public static let className = "AutoencoderCompact"

  /// What was built.
  public private(set) var configuration: Configuration
  /// Pictures → latents.
  public var encoder: CompactEncoder
  /// Latents → pictures.
  public var decoder: CompactDecoder

  /// An autoencoder whose parameters are zero until they are loaded or initialised.
  public init(_ configuration: Configuration) {
    self.configuration = configuration
    encoder = CompactEncoder(configuration)
    decoder = CompactDecoder(configuration)
  }

  /// By how much a latent is smaller than its picture, along each axis.
  public var spatialFactor: Int { configuration.spatialFactor }

  /// The number of a latent's channels.
  public var latentChannels: Int { configuration.latentChannels }

  /// Whether encoding gives a distribution with a variance.
  public var hasPosterior: Bool { configuration.doubleZ }

  /// A block holds its input and two intermediate results; beside it, the picture's squares and
  /// what the linear map adds are kept.
  public var workingBytesPerPixel: Int {
    let encoder = configuration.encoderBlockOutChannels
    let decoder = configuration.decoderBlockOutChannels.reversed()
    let scalars =
      zip(encoder, decoder).enumerated().map { level, channels in
        let side = configuration.patchSize << level
        return Double(3 * max(channels.0, channels.1)) / Double(side * side)
      }.max() ?? 0
    let scalarByteCount = MemoryLayout<Float>.stride
    return (Int(scalars.rounded(.up)) + 3 * configuration.inChannels) * scalarByteCount
  }

  /// How latents are brought to the range that a diffusion model works in.
  public var latentScaling: LatentScaling {
    get {
      LatentScaling(
        factor: configuration.scalingFactor, shift: configuration.shiftFactor,
        mean: configuration.latentsMean, standardDeviation: configuration.latentsStd)
    }
    set {
      configuration.scalingFactor = newValue.factor
      configuration.shiftFactor = newValue.shift
      configuration.latentsMean = newValue.mean
      configuration.latentsStd = newValue.standardDeviation
    }
  }

  /// The posterior of pictures `[N, H, W, 3]`.
  public func encode(_ pictures: Tensor) -> DiagonalGaussianDistribution {
    encoder(pictures)
  }

  /// The pictures `[N, H, W, 3]` of latents.
  public func decode(_ latents: Tensor) -> Tensor {
    decoder(latents)
  }

  /// Shows each parameter to `visitor`, under its name below `path`.
  public mutating func visitParameters(
    at path: ParameterPath, with visitor: inout some ParameterVisitor
  ) throws {
    try encoder.visitParameters(at: path / "encoder", with: &visitor)
    try decoder.visitParameters(at: path / "decoder", with: &visitor)
  }
}

/// Pictures → latents, for ``AutoencoderCompact``.
public struct CompactEncoder: ParameterContainer {
  /// From the squares of pixels.
  public var convIn: Conv2d
  /// At each resolution, the finest first.
  public var levels: [CompactLevel]
  /// To means, and log-variances behind them if there are any.
  public var convOut: Conv2d
  /// From a latent pixel's square to its mean: a 1×1 convolution of ``linearInput(_:)``.
  public var linearShortcut: Conv2d?
  /// The side of the squares that become channels first.
  let patchSize: Int
  /// The side, in these squares, of what becomes a latent pixel.
  let squareSide: Int
  let latentChannels: Int

  init(_ configuration: AutoencoderCompact.Configuration) {
    let channels = configuration.encoderBlockOutChannels
    patchSize = configuration.patchSize
    squareSide = configuration.spatialFactor / patchSize
    latentChannels = configuration.latentChannels
    let inputs = configuration.inChannels * patchSize * patchSize
    convIn = Conv2d(from: inputs, to: channels[0])
    levels = channels.indices.map { level in
      CompactLevel(
        .down, blocks: configuration.encoderLayers[level], channels: channels[level],
        next: level + 1 < channels.count ? channels[level + 1] : nil)
    }
    convOut = Conv2d(
      from: channels[channels.count - 1], to: (configuration.doubleZ ? 2 : 1) * latentChannels)
    linearShortcut =
      configuration.linearShortcut
      ? Conv2d(
        inputChannels: inputs * squareSide * squareSide, outputChannels: latentChannels,
        kernelSize: 1) : nil
  }

  /// The posterior of pictures `[N, H, W, 3]`.
  public func callAsFunction(_ pictures: Tensor) -> DiagonalGaussianDistribution {
    let patches = pictures.spaceToDepth(patchSize)
    let linear = linearShortcut.map { $0(linearInput(patches)) }
    var hidden = convIn(patches, activation: .relu)
    for level in levels { hidden = level(consume hidden) }
    return posterior(convOut(hidden), linear)
  }

  /// The squares of f×f pixels that become latent pixels, `[N, h, w, 3·f²]`, from those of
  /// `patch_size`; the order of a square's channels is that of squares within squares.
  public func linearInput(_ patches: Tensor) -> Tensor { patches.spaceToDepth(squareSide) }

  /// What the convolutions give together with what the linear map gives.
  func posterior(_ moments: Tensor, _ linear: Tensor?) -> DiagonalGaussianDistribution {
    let hasVariance = moments.shape[3] > latentChannels
    let mean = hasVariance ? moments.channels(0..<latentChannels) : moments
    return DiagonalGaussianDistribution(
      mean: linear.map { mean + $0 } ?? mean,
      logVariance: hasVariance ? moments.channels(latentChannels..<2 * latentChannels) : nil)
  }

  /// Shows each parameter to `visitor`, under its name below `path`.
  public mutating func visitParameters(
    at path: ParameterPath, with visitor: inout some ParameterVisitor
  ) throws {
    try convIn.visitParameters(at: path / "conv_in", with: &visitor)
    try levels.visitParameters(at: path / "down_blocks", with: &visitor)
    try convOut.visitParameters(at: path / "conv_out", with: &visitor)
    try linearShortcut.visitParameters(at: path / "linear_shortcut", with: &visitor)
  }
}

/// Latents → pictures, for ``AutoencoderCompact``.
public struct CompactDecoder: ParameterContainer {
  /// From latents.
  public var convIn: Conv2d
  /// At each resolution, the coarsest first.
  public var levels: [CompactLevel]
  /// To squares of pixels.
  public var convOut: Conv2d
  /// From a latent pixel to its square: a 1×1 convolution, whose result is laid out in squares.
  public var linearShortcut: Conv2d?
  /// The side of the squares that become pixels last.
  let patchSize: Int
  /// The side, in these squares, of what a latent pixel becomes.
  let squareSide: Int

  init(_ configuration: AutoencoderCompact.Configuration) {
    let channels = configuration.decoderBlockOutChannels
    patchSize = configuration.patchSize
    squareSide = configuration.spatialFactor / patchSize
    let outputs = configuration.outChannels * patchSize * patchSize
    convIn = Conv2d(from: configuration.latentChannels, to: channels[0])
    levels = channels.indices.map { level in
      CompactLevel(
        .up, blocks: configuration.decoderLayers[level], channels: channels[level],
        next: level + 1 < channels.count ? channels[level + 1] : nil)
    }
    convOut = Conv2d(from: channels[channels.count - 1], to: outputs)
    linearShortcut =
      configuration.linearShortcut
      ? Conv2d(
        inputChannels: configuration.latentChannels,
        outputChannels: outputs * squareSide * squareSide, kernelSize: 1) : nil
  }

  /// The pictures `[N, H, W, 3]` of latents.
  public func callAsFunction(_ latents: Tensor) -> Tensor {
    var hidden = convIn(latents, activation: .relu)
    for level in levels { hidden = level(consume hidden) }
    return convOut(hidden, residual: linearOutput(latents)).depthToSpace(patchSize)
  }

  /// The squares of `patch_size` that the linear map gives; nil if there is none.
  func linearOutput(_ latents: Tensor) -> Tensor? {
    linearShortcut.map { $0(latents).depthToSpace(squareSide) }
  }

  /// Shows each parameter to `visitor`, under its name below `path`.
  public mutating func visitParameters(
    at path: ParameterPath, with visitor: inout some ParameterVisitor
  ) throws {
    try convIn.visitParameters(at: path / "conv_in", with: &visitor)
    try levels.visitParameters(at: path / "up_blocks", with: &visitor)
    try convOut.visitParameters(at: path / "conv_out", with: &visitor)
    try linearShortcut.visitParameters(at: path / "linear_shortcut", with: &visitor)
  }
}

/// What happens at one resolution, and the way to the next.
public struct CompactLevel: Layer {
  /// Which way the next resolution lies.
  enum Direction: Sendable {
    /// Half the pixels along each axis: a convolution of stride 2.
    case down
    /// Twice the pixels along each axis: nearest neighbour and a convolution.
    case up
  }

  /// Residual blocks.
  public var resnets: [CompactBlock]
  /// The convolution to the next resolution; nil at the last.
  public var resampler: Conv2d?
  let direction: Direction

  init(_ direction: Direction, blocks: Int, channels: Int, next: Int?) {
    self.direction = direction
    resnets = (0..<blocks).map { _ in CompactBlock(channels: channels) }
    resampler = next.map { Conv2d(from: channels, to: $0, stride: direction == .down ? 2 : 1) }
  }

  /// The level's output.
  public func callAsFunction(_ x: consuming Tensor) -> Tensor {
    var hidden = x
    for block in resnets { hidden = block(consume hidden) }
    guard let resampler else { return hidden }
    return resampler(hidden, upsampling: direction == .up, activation: .relu)
  }

  /// Shows each parameter to `visitor`, under its name below `path`.
  public mutating func visitParameters(
    at path: ParameterPath, with visitor: inout some ParameterVisitor
  ) throws {
    try resnets.visitParameters(at: path / "resnets", with: &visitor)
    let name = direction == .down ? "downsamplers" : "upsamplers"
    try resampler.visitParameters(at: path / name / 0 / "conv", with: &visitor)
  }
}

/// relu(x + conv(relu(conv(x)))).
public struct CompactBlock: Layer {
  /// The first convolution.
  public var conv1: Conv2d
  /// The second.
  public var conv2: Conv2d

  init(channels: Int) {
    conv1 = Conv2d(from: channels, to: channels)
    conv2 = Conv2d(from: channels, to: channels)
  }

  /// The block's output, of the same shape.
  public func callAsFunction(_ x: consuming Tensor) -> Tensor {
    x.residualConvolutions(
      [conv1, conv2].map { ChainedConvolution(weight: $0.weight, bias: $0.bias) },
      activation: .relu)
  }

  /// Shows each parameter to `visitor`, under its name below `path`.
  public mutating func visitParameters(
    at path: ParameterPath, with visitor: inout some ParameterVisitor
  ) throws {
    try conv1.visitParameters(at: path / "conv1", with: &visitor)
    try conv2.visitParameters(at: path / "conv2", with: &visitor)
  }
}
