public import Tensors

/// A two-dimensional convolution, as PyTorch's `Conv2d`: `[N, H, W, Ci]` → `[N, H', W', Co]`.
public struct Conv2d: Layer {
  /// `[kh, kw, Ci, Co]`.
  public var weight: Tensor
  /// `[Co]`.
  public var bias: Tensor?
  /// The step between output pixels.
  public let stride: Int
  /// The zeros around the picture.
  public let padding: ConvolutionPadding

  /// A convolution whose parameters are zero until they are loaded or initialised.
  ///
  /// - Parameters:
  ///   - inputChannels: Ci.
  ///   - outputChannels: Co.
  ///   - kernelSize: the kernel's height and width.
  ///   - stride: the step between output pixels.
  ///   - padding: the zeros around the picture; by default those that keep its size, `kernelSize / 2`.
  ///   - hasBias: whether a bias is added.
  public init(
    inputChannels: Int, outputChannels: Int, kernelSize: Int, stride: Int = 1,
    padding: ConvolutionPadding? = nil, hasBias: Bool = true
  ) {
    weight = Tensor(zeros: [kernelSize, kernelSize, inputChannels, outputChannels])
    bias = hasBias ? Tensor(zeros: [outputChannels]) : nil
    self.stride = stride
    self.padding = padding ?? ConvolutionPadding(kernelSize / 2)
  }

  /// The convolution of `x`.
  public func callAsFunction(_ x: consuming Tensor) -> Tensor {
    self(x, normalizedBy: nil)
  }

  /// The convolution with what follows it, activation(conv(x) + residual), in one pass.
  ///
  /// - Parameters:
  ///   - x: `[N, H, W, Ci]`.
  ///   - normalization: if given, `x` is normalised first, without a copy of it as a whole.
  ///   - upsampling: whether `x` is enlarged ×2 first.
  ///   - residual: of the result's shape; if nobody else holds it, the result takes its memory.
  ///   - activation: applied last.
  /// - Returns: `[N, H', W', Co]`.
  public func callAsFunction(
    _ x: consuming Tensor, normalizedBy normalization: GroupNormalization? = nil,
    upsampling: Bool = false,
    residual: consuming Tensor? = nil, activation: Activation = .identity
  ) -> Tensor {
    x.conv2d(
      weight, bias: bias, stride: stride, padding: padding, upsampling: upsampling,
      normalization: normalization, residual: residual, activation: activation)
  }

  /// Shows each parameter to `visitor`, under its name below `path`.
  public mutating func visitParameters(
    at path: ParameterPath, with visitor: inout some ParameterVisitor
  ) throws {
    try visitor.visit(&weight, at: path / "weight", layout: .convolution)
    if var value = bias {
      try visitor.visit(&value, at: path / "bias", layout: .unchanged)
      bias = value
    }
  }
}
