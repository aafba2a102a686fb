public import Tensors

/// A residual block: x + conv2(silu(norm2(conv1(silu(norm1(x)))))), as diffusers' `ResnetBlock2D`,
/// with or without a time embedding.
public struct ResnetBlock2D: Layer {
  /// Before the first convolution.
  public var norm1: GroupNorm
  /// 3×3, to the block's output channels.
  public var conv1: Conv2d
  /// What the time embedding does to each channel; nil in autoencoders.
  public var timeProjection: Linear?
  /// How the projected time embedding comes in.
  public let timeConditioning: TimeConditioning
  /// Before the second convolution.
  public var norm2: GroupNorm
  /// 3×3.
  public var conv2: Conv2d
  /// 1×1, where the number of channels changes.
  public var convShortcut: Conv2d?

  /// How a time embedding comes into a block; the value of `resnet_time_scale_shift`.
  public enum TimeConditioning: String, Codable, Sendable {
    /// It is added to each pixel before ``norm2``.
    case offset = "default"
    /// Behind ``norm2`` each channel is multiplied with one number, and another is added.
    case scaleShift = "scale_shift"
  }

  /// A block whose parameters are those of its fresh layers.
  ///
  /// - Parameters:
  ///   - inputChannels: Ci.
  ///   - outputChannels: Co.
  ///   - groups: of the norms.
  ///   - epsilon: of the norms.
  ///   - timeChannels: T, of the time embedding; nil for a block without one.
  ///   - timeConditioning: how the time embedding comes in.
  public init(
    inputChannels: Int, outputChannels: Int, groups: Int, epsilon: Float,
    timeChannels: Int? = nil, timeConditioning: TimeConditioning = .offset
  ) {
    self.timeConditioning = timeConditioning
    timeProjection = timeChannels.map { channels in
      let outputs = timeConditioning == .scaleShift ? 2 * outputChannels : outputChannels
      return Linear(inputChannels: channels, outputChannels: outputs)
    }
    norm1 = GroupNorm(groups: groups, channels: inputChannels, epsilon: epsilon)
    conv1 = Conv2d(inputChannels: inputChannels, outputChannels: outputChannels, kernelSize: 3)
    norm2 = GroupNorm(groups: groups, channels: outputChannels, epsilon: epsilon)
    conv2 = Conv2d(inputChannels: outputChannels, outputChannels: outputChannels, kernelSize: 3)
    if inputChannels != outputChannels {
      convShortcut = Conv2d(
        inputChannels: inputChannels, outputChannels: outputChannels, kernelSize: 1)
    }
  }

  /// The block's output: `[N, H, W, Ci]` → `[N, H, W, Co]`.
  ///
  /// - Precondition: the block has no time embedding.
  public func callAsFunction(_ x: consuming Tensor) -> Tensor {
    self(x, time: nil)
  }

  /// The block's output with a time embedding.
  ///
  /// The embedding becomes part of the scales and shifts of ``norm2``, and costs no pass over
  /// the pixels.
  ///
  /// - Parameters:
  ///   - x: `[N, H, W, Ci]`.
  ///   - time: `[N, T]`, the time embedding behind its activation, SiLU, which is the same for all
  ///     blocks; nil for a block without one.
  /// - Returns: `[N, H, W, Co]`.
  /// - Precondition: there is a time embedding just if the block has a projection of it.
  public func callAsFunction(_ x: consuming Tensor, time: Tensor?) -> Tensor {
    precondition(
      (time == nil) == (timeProjection == nil), "a time embedding for a block without, or none")
    let hidden = conv1(copy x, normalizedBy: norm1.normalization(.silu))
    let projected = time.flatMap { timeProjection?($0) }
    let condition = projected.map {
      timeConditioning == .offset ? GroupNormCondition.offset($0) : .scaleShift($0)
    }
    let residual: Tensor
    if let convShortcut { residual = convShortcut(x) } else { residual = x }
    return conv2(
      hidden, normalizedBy: norm2.normalization(.silu, condition: condition), residual: residual)
  }

  /// Shows each parameter to `visitor`, under its name below `path`.
  public mutating func visitParameters(
    at path: ParameterPath, with visitor: inout some ParameterVisitor
  ) throws {
    try norm1.visitParameters(at: path / "norm1", with: &visitor)
    try conv1.visitParameters(at: path / "conv1", with: &visitor)
    try timeProjection.visitParameters(at: path / "time_emb_proj", with: &visitor)
    try norm2.visitParameters(at: path / "norm2", with: &visitor)
    try conv2.visitParameters(at: path / "conv2", with: &visitor)
    try convShortcut.visitParameters(at: path / "conv_shortcut", with: &visitor)
  }
}
