public import Layers
public import Tensors

/// The decoder of an ``AutoencoderKL``: `[N, h, w, C]` → `[N, H, W, 3]`.
public struct KLDecoder: Layer {
  /// 3×3, to the coarsest block's channels.
  public var convIn: Conv2d
  /// At the coarsest resolution.
  public var midBlock: KLMidBlock
  /// One for each resolution, the coarsest first.
  public var upBlocks: [KLUpBlock]
  /// The last norm.
  public var convNormOut: GroupNorm
  /// 3×3, to the picture's channels.
  public var convOut: Conv2d

  init(_ configuration: AutoencoderKL.Configuration) {
    let channels = Array(configuration.blockOutChannels.reversed())
    let groups = configuration.normNumGroups
    convIn = Conv2d(
      inputChannels: configuration.latentChannels, outputChannels: channels[0], kernelSize: 3)
    midBlock = KLMidBlock(
      channels: channels[0], hasAttention: configuration.midBlockAddAttention, groups: groups)
    upBlocks = channels.indices.map { index in
      KLUpBlock(
        inputChannels: channels[max(index - 1, 0)], outputChannels: channels[index],
        layers: configuration.layersPerBlock + 1,
        hasAttention: configuration.upBlockTypes[index] == "AttnUpDecoderBlock2D",
        upsampling: index < channels.count - 1 ? configuration.upsampleType : nil, groups: groups)
    }
    let last = channels[channels.count - 1]
    convNormOut = GroupNorm(groups: groups, channels: last, epsilon: normEpsilon)
    convOut = Conv2d(
      inputChannels: last, outputChannels: configuration.outChannels, kernelSize: 3)
  }

  /// The pictures.
  public func callAsFunction(_ x: consuming Tensor) -> Tensor {
    var hidden = convIn(x)
    hidden = midBlock(consume hidden)
    for block in upBlocks {
      hidden = block(consume hidden)
    }
    return convOut(hidden, normalizedBy: convNormOut.normalization(.silu))
  }

  /// Shows each parameter to `visitor`, under its name below `path`.
  public mutating func visitParameters(
    at path: ParameterPath, with visitor: inout some ParameterVisitor
  ) throws {
    try convIn.visitParameters(at: path / "conv_in", with: &visitor)
    try midBlock.visitParameters(at: path / "mid_block", with: &visitor)
    try upBlocks.visitParameters(at: path / "up_blocks", with: &visitor)
    try convNormOut.visitParameters(at: path / "conv_norm_out", with: &visitor)
    try convOut.visitParameters(at: path / "conv_out", with: &visitor)
  }
}

/// One resolution of the decoder, as diffusers' `UpDecoderBlock2D` and `AttnUpDecoderBlock2D`.
public struct KLUpBlock: Layer {
  /// In the order of the data.
  public var resnets: [ResnetBlock2D]
  /// One behind each residual block, or none.
  public var attentions: [Attention]
  /// To twice the size; none in the last block.
  public var upsamplers: [Upsample2D]

  init(
    inputChannels: Int, outputChannels: Int, layers: Int, hasAttention: Bool,
    upsampling: Upsample2D.Kind?, groups: Int
  ) {
    resnets = (0..<layers).map { index in
      ResnetBlock2D(
        inputChannels: index == 0 ? inputChannels : outputChannels,
        outputChannels: outputChannels, groups: groups, epsilon: normEpsilon)
    }
    attentions = (0..<(hasAttention ? layers : 0)).map { _ in
      Attention(channels: outputChannels, heads: 1, groups: groups, epsilon: normEpsilon)
    }
    upsamplers = upsampling.map { [Upsample2D(channels: outputChannels, kind: $0)] } ?? []
  }

  /// The block's output, at twice the size unless it is the last.
  public func callAsFunction(_ x: consuming Tensor) -> Tensor {
    var hidden = x
    for (index, resnet) in resnets.enumerated() {
      hidden = resnet(consume hidden)
      if !attentions.isEmpty { hidden = attentions[index](consume hidden) }
    }
    for upsampler in upsamplers {
      hidden = upsampler(consume hidden)
    }
    return hidden
  }

  /// Shows each parameter to `visitor`, under its name below `path`.
  public mutating func visitParameters(
    at path: ParameterPath, with visitor: inout some ParameterVisitor
  ) throws {
    try resnets.visitParameters(at: path / "resnets", with: &visitor)
    try attentions.visitParameters(at: path / "attentions", with: &visitor)
    try upsamplers.visitParameters(at: path / "upsamplers", with: &visitor)
  }
}
