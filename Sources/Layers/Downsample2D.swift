public import Tensors

/// A 3×3 convolution of stride 2, as diffusers' `Downsample2D`: `[N, H, W, C]` → `[N, H/2, W/2, C]`.
public struct Downsample2D: Layer {
  /// The convolution.
  public var conv: Conv2d

  /// A layer whose parameters are those of a fresh convolution.
  ///
  /// - Parameters:
  ///   - channels: C.
  ///   - padding: the zeros around the picture. Autoencoders pad below and to the right only,
  ///     `UNet2DModel` as a rule on all sides.
  public init(
    channels: Int,
    padding: ConvolutionPadding = ConvolutionPadding(top: 0, left: 0, bottom: 1, right: 1)
  ) {
    conv = Conv2d(
      inputChannels: channels, outputChannels: channels, kernelSize: 3, stride: 2, padding: padding)
  }

  /// The picture at half the size.
  public func callAsFunction(_ x: consuming Tensor) -> Tensor {
    conv(x)
  }

  /// Shows each parameter to `visitor`, under its name below `path`.
  public mutating func visitParameters(
    at path: ParameterPath, with visitor: inout some ParameterVisitor
  ) throws {
    try conv.visitParameters(at: path / "conv", with: &visitor)
  }
}
