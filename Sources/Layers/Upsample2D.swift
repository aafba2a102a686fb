public import Tensors

/// Enlargement ×2: `[N, H, W, C]` → `[N, 2H, 2W, C]`.
public enum Upsample2D: Layer {
  /// Nearest neighbour, then a 3×3 convolution, as diffusers' `Upsample2D`.
  case nearest(Conv2d)
  /// A 4×4 transposed convolution of stride 2.
  case transposed(ConvTranspose2d)

  /// How a layer enlarges; the value of `upsample_type` in a configuration.
  public enum Kind: String, Codable, Sendable {
    /// Nearest neighbour, then a 3×3 convolution.
    case nearest
    /// A 4×4 transposed convolution of stride 2.
    case convTranspose = "conv_transpose"
  }

  /// A layer whose parameters are those of a fresh convolution.
  public init(channels: Int, kind: Kind) {
    switch kind {
    case .nearest:
      self = .nearest(Conv2d(inputChannels: channels, outputChannels: channels, kernelSize: 3))
    case .convTranspose:
      self = .transposed(
        ConvTranspose2d(
          inputChannels: channels, outputChannels: channels, kernelSize: 4, stride: 2, padding: 1))
    }
  }

  /// The picture at twice the size.
  public func callAsFunction(_ x: consuming Tensor) -> Tensor {
    switch self {
    case .nearest(let conv): conv(x, upsampling: true)
    case .transposed(let conv): conv(x)
    }
  }

  /// Shows each parameter to `visitor`, under its name below `path`.
  public mutating func visitParameters(
    at path: ParameterPath, with visitor: inout some ParameterVisitor
  ) throws {
    switch self {
    case .nearest(var conv):
      try conv.visitParameters(at: path / "conv", with: &visitor)
      self = .nearest(conv)
    case .transposed(var conv):
      try conv.visitParameters(at: path / "conv", with: &visitor)
      self = .transposed(conv)
    }
  }
}
