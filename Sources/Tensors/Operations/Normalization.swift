/// A group normalisation with its parameters, and the activation behind it.
public struct GroupNormalization: Sendable {
  let groups: Int
  let weight, bias: Tensor
  let epsilon: Float
  let activation: Activation

  /// The normalisation of ``Tensor/groupNorm(_:)``.
  ///
  /// - Parameters:
  ///   - groups: how many groups the channels are divided into.
  ///   - weight: `[C]`.
  ///   - bias: `[C]`.
  ///   - epsilon: added to the variance.
  ///   - activation: applied last.
  /// - Precondition: `groups` divides C.
  public init(
    groups: Int, weight: Tensor, bias: Tensor, epsilon: Float, activation: Activation = .identity
  ) {
    let channels = weight.shape.scalarCount
    precondition(channels % groups == 0, "\(channels) channels in \(groups) groups")
    precondition(
      weight.shape == [channels] && bias.shape == [channels],
      "a weight of \(weight.shape) and a bias of \(bias.shape)")
    self.groups = groups
    self.weight = weight
    self.bias = bias
    self.epsilon = epsilon
    self.activation = activation
  }
}

extension Tensor {
  /// Group normalisation, then an activation.
  ///
  /// Over all pixels of an image and all channels of a group:
  /// y = activation((x − mean) / √(variance + ε) · weight + bias).
  /// Wu and He 2018, arXiv:1803.08494; as PyTorch's `GroupNorm`.
  ///
  /// - Precondition: the normalisation is for as many channels.
  public func groupNorm(_ normalization: GroupNormalization) -> Tensor {
    precondition(
      normalization.weight.shape == [shape[-1]], "\(shape) with \(normalization.weight.shape)")
    let statistics = groupStatistics(normalization)
    let result = normalizingGroups(normalization, statistics)
    let nodes = [node, normalization.weight.node, normalization.bias.node]
    guard GradientRecording.isOn(nodes) else { return result }
    let (x, constant) = (detached(), normalization.detached())
    return result.recorded(nodes) { gradient, isNeeded in
      let gradients = x.groupNormGradients(
        gradient, constant, statistics, needsInput: isNeeded[0])
      return [gradients.input, gradients.weight, gradients.bias]
    }
  }
}

extension GroupNormalization {
  /// The same with parameters that no gradient passes to.
  func detached() -> GroupNormalization {
    GroupNormalization(
      groups: groups, weight: weight.detached(), bias: bias.detached(), epsilon: epsilon,
      activation: activation)
  }
}
