public import Tensors

/// A matrix product over the last axis, as PyTorch's `Linear`: `[…, Ci]` → `[…, Co]`.
public struct Linear: Layer {
  /// `[Ci, Co]`.
  public var weight: Tensor
  /// `[Co]`.
  public var bias: Tensor

  /// A layer whose parameters are zero until they are loaded or initialised.
  public init(inputChannels: Int, outputChannels: Int) {
    weight = Tensor(zeros: [inputChannels, outputChannels])
    bias = Tensor(zeros: [outputChannels])
  }

  /// The product x·W + b.
  public func callAsFunction(_ x: consuming Tensor) -> Tensor {
    self(x, residual: nil)
  }

  /// The sum x·W + b + residual.
  public func callAsFunction(_ x: Tensor, residual: consuming Tensor?) -> Tensor {
    x.linear(weight, bias: bias, residual: residual)
  }

  /// Shows each parameter to `visitor`, under its name below `path`.
  public mutating func visitParameters(
    at path: ParameterPath, with visitor: inout some ParameterVisitor
  ) throws {
    try visitor.visit(&weight, at: path / "weight", layout: .linear)
    try visitor.visit(&bias, at: path / "bias", layout: .unchanged)
  }
}
