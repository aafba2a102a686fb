public import Layers
public import Tensors

/// ε of the norms of an `AutoencoderKL`.
let normEpsilon: Float = 1e-6

/// The encoder of an ``AutoencoderKL``: `[N, H, W, 3]` → `[N, h, w, 2C]`.
public struct KLEncoder: Layer {
  /// 3×3, to the first block's channels.
  public var convIn: Conv2d
  /// One for each resolution, the finest first.
  public var downBlocks: [KLDownBlock]
  /// At the coarsest resolution.
  public var midBlock: KLMidBlock
  /// The last norm.
  public var convNormOut: GroupNorm
  /// 3×3, to twice the latent's channels.
  public var convOut: Conv2d

  init(_ configuration: AutoencoderKL.Configuration) {
    let channels = configuration.blockOutChannels
    let groups = configuration.normNumGroups
    convIn = Conv2d(
      inputChannels: configuration.inChannels, outputChannels: channels[0], kernelSize: 3)
    downBlocks = channels.indices.map { index in
      KLDownBlock(
        inputChannels: channels[max(index - 1, 0)], outputChannels: channels[index],
        layers: configuration.layersPerBlock,
        hasAttention: configuration.downBlockTypes[index] == "AttnDownEncoderBlock2D",
        downsamples: index < channels.count - 1, groups: groups)
    }
    let last = channels[channels.count - 1]
    midBlock = KLMidBlock(
      channels: last, hasAttention: configuration.midBlockAddAttention, groups: groups)
    convNormOut = GroupNorm(groups: groups, channels: last, epsilon: normEpsilon)
    convOut = Conv2d(
      inputChannels: last, outputChannels: 2 * configuration.latentChannels, kernelSize: 3)
  }

  /// The moments before the quantisation convolution.
  public func callAsFunction(_ x: consuming Tensor) -> Tensor {
    var hidden = convIn(x)
    for block in downBlocks {
      hidden = block(consume hidden)
    }
    hidden = midBlock(consume hidden)
    return convOut(hidden, normalizedBy: convNormOut.normalization(.silu))
  }

  /// Shows each parameter to `visitor`, under its name below `path`.
  public mutating func visitParameters(
    at path: ParameterPath, with visitor: inout some ParameterVisitor
  ) throws {
    try convIn.visitParameters(at: path / "conv_in", with: &visitor)
    try downBlocks.visitParameters(at: path / "down_blocks", with: &visitor)
    try midBlock.visitParameters(at: path / "mid_block", with: &visitor)
    try convNormOut.visitParameters(at: path / "conv_norm_out", with: &visitor)
    try convOut.visitParameters(at: path / "conv_out", with: &visitor)
  }
}

/// One resolution of the encoder, as diffusers' `DownEncoderBlock2D` and `AttnDownEncoderBlock2D`.
public struct KLDownBlock: Layer {
  /// In the order of the data.
  public var resnets: [ResnetBlock2D]
  /// One behind each residual block, or none.
  public var attentions: [Attention]
  /// To half the size; none in the last block.
  public var downsamplers: [Downsample2D]

  init(
    inputChannels: Int, outputChannels: Int, layers: Int, hasAttention: Bool, downsamples: Bool,
    groups: Int
  ) {
    resnets = (0..<layers).map { index in
      ResnetBlock2D(
        inputChannels: index == 0 ? inputChannels : outputChannels,
        outputChannels: outputChannels, groups: groups, epsilon: normEpsilon)
    }
    attentions = (0..<(hasAttention ? layers : 0)).map { _ in
      Attention(channels: outputChannels, heads: 1, groups: groups, epsilon: normEpsilon)
    }
    downsamplers = downsamples ? [Downsample2D(channels: outputChannels)] : []
  }

  /// The block's output, at half the size unless it is the last.
  public func callAsFunction(_ x: consuming Tensor) -> Tensor {
    var hidden = x
    for (index, resnet) in resnets.enumerated() {
      hidden = resnet(consume hidden)
      if !attentions.isEmpty { hidden = attentions[index](consume hidden) }
    }
    for downsampler in downsamplers {
      hidden = downsampler(consume hidden)
    }
    return hidden
  }

  /// Shows each parameter to `visitor`, under its name below `path`.
  public mutating func visitParameters(
    at path: ParameterPath, with visitor: inout some ParameterVisitor
  ) throws {
    try resnets.visitParameters(at: path / "resnets", with: &visitor)
    try attentions.visitParameters(at: path / "attentions", with: &visitor)
    try downsamplers.visitParameters(at: path / "downsamplers", with: &visitor)
  }
}

/// The middle of encoder and decoder, as diffusers' `UNetMidBlock2D`: residual block, attention,
/// residual block.
public struct KLMidBlock: Layer {
  /// The two residual blocks.
  public var resnets: [ResnetBlock2D]
  /// Between them; one or none.
  public var attentions: [Attention]

  init(channels: Int, hasAttention: Bool, groups: Int) {
    resnets = (0..<2).map { _ in
      ResnetBlock2D(
        inputChannels: channels, outputChannels: channels, groups: groups, epsilon: normEpsilon)
    }
    attentions =
      hasAttention
      ? [Attention(channels: channels, heads: 1, groups: groups, epsilon: normEpsilon)] : []
  }

  /// The block's output, of the same shape.
  public func callAsFunction(_ x: consuming Tensor) -> Tensor {
    var hidden = resnets[0](x)
    for attention in attentions {
      hidden = attention(consume hidden)
    }
    return resnets[1](consume hidden)
  }

  /// Shows each parameter to `visitor`, under its name below `path`.
  public mutating func visitParameters(
    at path: ParameterPath, with visitor: inout some ParameterVisitor
  ) throws {
    try resnets.visitParameters(at: path / "resnets", with: &visitor)
    try attentions.visitParameters(at: path / "attentions", with: &visitor)
  }
}
