public import Tensors

/// Normalisation over the pixels and the channels of a group, as PyTorch's `GroupNorm`.
///
/// Wu and He 2018, arXiv:1803.08494.
public struct GroupNorm: Layer {
  /// `[C]`.
  public var weight: Tensor
  /// `[C]`.
  public var bias: Tensor
  /// How many groups the channels are divided into.
  public let groups: Int
  /// Added to the variance.
  public let epsilon: Float

  /// A norm of weight 1 and bias 0.
  ///
  /// - Precondition: `groups` divides `channels`.
  public init(groups: Int, channels: Int, epsilon: Float) {
    precondition(channels % groups == 0, "\(channels) channels in \(groups) groups")
    weight = Tensor(repeating: 1, shape: [channels])
    bias = Tensor(zeros: [channels])
    self.groups = groups
    self.epsilon = epsilon
  }

  /// `x` normalised.
  public func callAsFunction(_ x: consuming Tensor) -> Tensor {
    self(x, activation: .identity)
  }

  /// The norm and an activation, in one pass.
  public func callAsFunction(_ x: Tensor, activation: Activation) -> Tensor {
    x.groupNorm(normalization(activation))
  }

  /// What this layer does to a tensor, for an operation that does it on the way.
  public func normalization(
    _ activation: Activation, condition: GroupNormCondition? = nil
  ) -> GroupNormalization {
    GroupNormalization(
      groups: groups, weight: weight, bias: bias, epsilon: epsilon, activation: activation,
      condition: condition)
  }

  /// Shows each parameter to `visitor`, under its name below `path`.
  public mutating func visitParameters(
    at path: ParameterPath, with visitor: inout some ParameterVisitor
  ) throws {
    try visitor.visit(&weight, at: path / "weight", layout: .unchanged)
    try visitor.visit(&bias, at: path / "bias", layout: .unchanged)
  }
}
