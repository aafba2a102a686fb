public import Tensors

/// A residual block: x + conv2(silu(norm2(conv1(silu(norm1(x)))))), as diffusers' `ResnetBlock2D`
/// without a time embedding.
public struct ResnetBlock2D: Layer {
  /// Before the first convolution.
  public var norm1: GroupNorm
  /// 3×3, to the block's output channels.
  public var conv1: Conv2d
  /// Before the second convolution.
  public var norm2: GroupNorm
  /// 3×3.
  public var conv2: Conv2d
  /// 1×1, where the number of channels changes.
  public var convShortcut: Conv2d?

  /// A block whose parameters are those of its fresh layers.
  public init(inputChannels: Int, outputChannels: Int, groups: Int, epsilon: Float) {
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
  public func callAsFunction(_ x: consuming Tensor) -> Tensor {
    let hidden = conv1(copy x, normalizedBy: norm1.normalization(.silu))
    let residual: Tensor
    if let convShortcut { residual = convShortcut(x) } else { residual = x }
    return conv2(hidden, normalizedBy: norm2.normalization(.silu), residual: residual)
  }

  /// Shows each parameter to `visitor`, under its name below `path`.
  public mutating func visitParameters(
    at path: ParameterPath, with visitor: inout some ParameterVisitor
  ) throws {
    try norm1.visitParameters(at: path / "norm1", with: &visitor)
    try conv1.visitParameters(at: path / "conv1", with: &visitor)
    try norm2.visitParameters(at: path / "norm2", with: &visitor)
    try conv2.visitParameters(at: path / "conv2", with: &visitor)
    try convShortcut.visitParameters(at: path / "conv_shortcut", with: &visitor)
  }
}
