public import Layers
public import Tensors

/// What the blocks of a ``UNet2DModel`` are made of.
struct UNetParts {
  let configuration: UNet2DModel.Configuration

  init(_ configuration: UNet2DModel.Configuration) {
    self.configuration = configuration
  }

  func resnet(inputChannels: Int, outputChannels: Int) -> ResnetBlock2D {
    ResnetBlock2D(
      inputChannels: inputChannels, outputChannels: outputChannels,
      groups: configuration.normNumGroups, epsilon: configuration.normEps,
      timeChannels: configuration.timeChannels,
      timeConditioning: configuration.resnetTimeScaleShift)
  }

  func attention(channels: Int, groups: Int?) -> Attention {
    Attention(
      channels: channels, heads: channels / (configuration.attentionHeadDim ?? channels),
      groups: groups, epsilon: configuration.normEps)
  }

  /// `count` attentions, if the block's type has any.
  func attentions(_ type: String, channels: Int, count: Int) -> [Attention] {
    guard type.hasPrefix("Attn") else { return [] }
    return (0..<count).map { _ in
      attention(channels: channels, groups: configuration.normNumGroups)
    }
  }
}

/// One resolution on the way down, as diffusers' `DownBlock2D` and `AttnDownBlock2D`.
public struct UNetDownBlock: ParameterContainer {
  /// In the order of the data.
  public var resnets: [ResnetBlock2D]
  /// One behind each residual block, or none.
  public var attentions: [Attention]
  /// To half the size; none in the last block.
  public var downsamplers: [Downsample2D]

  init(_ parts: UNetParts, level: Int) {
    let configuration = parts.configuration
    let channels = configuration.blockOutChannels
    resnets = (0..<configuration.layersPerBlock).map { index in
      parts.resnet(
        inputChannels: channels[index == 0 ? max(level - 1, 0) : level],
        outputChannels: channels[level])
    }
    attentions = parts.attentions(
      configuration.downBlockTypes[level], channels: channels[level], count: resnets.count)
    // Without padding diffusers pads below and to the right, as autoencoders do.
    let padding =
      configuration.downsamplePadding == 0
      ? ConvolutionPadding(top: 0, left: 0, bottom: 1, right: 1) : ConvolutionPadding(1)
    downsamplers =
      level == channels.count - 1
      ? [] : [Downsample2D(channels: channels[level], padding: padding)]
  }

  /// Computes the block.
  ///
  /// - Parameters:
  ///   - x: `[N, H, W, C]`.
  ///   - time: `[N, T]`, the time embedding behind its activation.
  ///   - skips: gets the result of each part, for the way up.
  /// - Returns: the block's output, at half the size unless it is the last.
  public func callAsFunction(
    _ x: consuming Tensor, time: Tensor, skips: inout [Tensor]
  ) -> Tensor {
    var hidden = x
    for (index, resnet) in resnets.enumerated() {
      hidden = resnet(consume hidden, time: time)
      if !attentions.isEmpty { hidden = attentions[index](consume hidden) }
      skips.append(hidden)
    }
    for downsampler in downsamplers {
      hidden = downsampler(consume hidden)
      skips.append(hidden)
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

/// The coarsest resolution, as diffusers' `UNetMidBlock2D`: residual block, attention, residual
/// block.
public struct UNetMidBlock: ParameterContainer {
  /// The two residual blocks.
  public var resnets: [ResnetBlock2D]
  /// Between them; one or none.
  public var attentions: [Attention]

  init(_ parts: UNetParts) {
    let configuration = parts.configuration
    let channels = configuration.blockOutChannels[configuration.blockOutChannels.count - 1]
    resnets = (0..<2).map { _ in
      parts.resnet(inputChannels: channels, outputChannels: channels)
    }
    attentions =
      configuration.addAttention
      ? [parts.attention(channels: channels, groups: configuration.midBlockGroups)] : []
  }

  /// The block's output, of the same shape; `time` is the time embedding behind its activation.
  public func callAsFunction(_ x: consuming Tensor, time: Tensor) -> Tensor {
    var hidden = resnets[0](x, time: time)
    for attention in attentions {
      hidden = attention(consume hidden)
    }
    return resnets[1](consume hidden, time: time)
  }

  /// Shows each parameter to `visitor`, under its name below `path`.
  public mutating func visitParameters(
    at path: ParameterPath, with visitor: inout some ParameterVisitor
  ) throws {
    try resnets.visitParameters(at: path / "resnets", with: &visitor)
    try attentions.visitParameters(at: path / "attentions", with: &visitor)
  }
}

/// One resolution on the way up, as diffusers' `UpBlock2D` and `AttnUpBlock2D`.
public struct UNetUpBlock: ParameterContainer {
  /// In the order of the data; each takes a result of the way down, too.
  public var resnets: [ResnetBlock2D]
  /// One behind each residual block, or none.
  public var attentions: [Attention]
  /// To twice the size; none in the last block.
  public var upsamplers: [Upsample2D]

  init(_ parts: UNetParts, level: Int) {
    let configuration = parts.configuration
    let channels = configuration.blockOutChannels
    let (last, layers) = (channels.count - 1, configuration.layersPerBlock)
    resnets = (0...layers).map { index in
      let before = channels[index == 0 ? min(level + 1, last) : level]
      let skipped = channels[index == layers ? max(level - 1, 0) : level]
      return parts.resnet(inputChannels: before + skipped, outputChannels: channels[level])
    }
    attentions = parts.attentions(
      configuration.upBlockTypes[last - level], channels: channels[level], count: resnets.count)
    upsamplers = level == 0 ? [] : [Upsample2D(channels: channels[level], kind: .nearest)]
  }

  /// Computes the block.
  ///
  /// - Parameters:
  ///   - x: `[N, H, W, C]`.
  ///   - time: `[N, T]`, the time embedding behind its activation.
  ///   - skips: the results of the way down, of which the last are taken.
  /// - Returns: the block's output, at twice the size unless it is the last.
  public func callAsFunction(
    _ x: consuming Tensor, time: Tensor, skips: inout [Tensor]
  ) -> Tensor {
    var hidden = x
    for (index, resnet) in resnets.enumerated() {
      hidden = resnet(hidden.concatenatedChannels(with: skips.removeLast()), time: time)
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
