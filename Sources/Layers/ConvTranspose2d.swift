public import Tensors

/// A transposed convolution, as PyTorch's `ConvTranspose2d`: `[N, H, W, Ci]` → `[N, H', W', Co]`
/// with H' = (H − 1)·stride − 2·padding + kernelSize.
public struct ConvTranspose2d: Layer {
  /// `[kh, kw, Ci, Co]`.
  public var weight: Tensor
  /// `[Co]`.
  public var bias: Tensor
  /// How far apart neighbours of the input come to lie in the output.
  public let stride: Int
  /// How many rows and columns are cut from each side.
  public let padding: Int

  /// A transposed convolution whose parameters are zero until they are loaded or initialised.
  public init(
    inputChannels: Int, outputChannels: Int, kernelSize: Int, stride: Int, padding: Int
  ) {
    weight = Tensor(zeros: [kernelSize, kernelSize, inputChannels, outputChannels])
    bias = Tensor(zeros: [outputChannels])
    self.stride = stride
    self.padding = padding
  }

  /// The transposed convolution of `x`.
  public func callAsFunction(_ x: consuming Tensor) -> Tensor {
    x.convTranspose2d(weight, bias: bias, stride: stride, padding: padding)
  }

  /// Shows each parameter to `visitor`, under its name below `path`.
  public mutating func visitParameters(
    at path: ParameterPath, with visitor: inout some ParameterVisitor
  ) throws {
    try visitor.visit(&weight, at: path / "weight", layout: .transposedConvolution)
    try visitor.visit(&bias, at: path / "bias", layout: .unchanged)
  }
}
