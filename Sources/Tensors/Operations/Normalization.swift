/// What differs from image to image in a group normalisation: what a time embedding does.
public enum GroupNormCondition: Sendable {
  /// `[N, C]`: added to every pixel of an image before it is normalised.
  case offset(Tensor)
  /// `[N, 2C]`, scales s and behind them shifts t: what is normalised, y, becomes y · (1 + s) + t.
  case scaleShift(Tensor)

  /// The numbers.
  var tensor: Tensor {
    switch self {
    case .offset(let tensor), .scaleShift(let tensor): tensor
    }
  }

  /// The same without a gradient.
  func detached() -> GroupNormCondition {
    switch self {
    case .offset(let tensor): .offset(tensor.detached())
    case .scaleShift(let tensor): .scaleShift(tensor.detached())
    }
  }

  /// How many numbers each image has for each channel.
  fileprivate var countPerChannel: Int {
    switch self {
    case .offset: 1
    case .scaleShift: 2
    }
  }
}

/// A group normalisation with its parameters, and the activation behind it.
public struct GroupNormalization: Sendable {
  let groups: Int
  let weight, bias: Tensor
  let epsilon: Float
  let activation: Activation
  let condition: GroupNormCondition?

  /// The normalisation of ``Tensor/groupNorm(_:)``.
  ///
  /// - Parameters:
  ///   - groups: how many groups the channels are divided into.
  ///   - weight: `[C]`.
  ///   - bias: `[C]`.
  ///   - epsilon: added to the variance.
  ///   - activation: applied last.
  ///   - condition: what differs from image to image; it costs no pass over the pixels.
  /// - Precondition: `groups` divides C, and the condition is for as many channels.
  public init(
    groups: Int, weight: Tensor, bias: Tensor, epsilon: Float, activation: Activation = .identity,
    condition: GroupNormCondition? = nil
  ) {
    let channels = weight.shape.scalarCount
    precondition(channels % groups == 0, "\(channels) channels in \(groups) groups")
    precondition(
      weight.shape == [channels] && bias.shape == [channels],
      "a weight of \(weight.shape) and a bias of \(bias.shape)")
    if let condition {
      let shape = condition.tensor.shape
      precondition(
        shape.rank == 2 && shape[1] == condition.countPerChannel * channels,
        "a condition of \(shape) for \(channels) channels")
    }
    self.groups = groups
    self.weight = weight
    self.bias = bias
    self.epsilon = epsilon
    self.activation = activation
    self.condition = condition
  }

  /// How what the gradient passes to was computed: weight, bias and condition.
  var nodes: [GradientNode?] { [weight.node, bias.node, condition?.tensor.node] }
}

extension Tensor {
  /// Group normalisation, then an activation.
  ///
  /// Over all pixels of an image and all channels of a group:
  /// y = activation((x − mean) / √(variance + ε) · weight + bias).
  /// Wu and He 2018, arXiv:1803.08494; as PyTorch's `GroupNorm`.
  ///
  /// - Precondition: the normalisation is for as many channels, its condition for as many images.
  public func groupNorm(_ normalization: GroupNormalization) -> Tensor {
    let statistics = groupStatistics(normalization)
    let result = normalizingGroups(normalization, statistics)
    let nodes = [node] + normalization.nodes
    guard GradientRecording.isOn(nodes) else { return result }
    let (x, constant) = (detached(), normalization.detached())
    return result.recorded(nodes) { gradient, isNeeded in
      x.groupNormGradients(gradient, constant, statistics, isNeeded: isNeeded)
    }
  }
}

extension GroupNormalization {
  /// The same with parameters that no gradient passes to.
  func detached() -> GroupNormalization {
    GroupNormalization(
      groups: groups, weight: weight.detached(), bias: bias.detached(), epsilon: epsilon,
      activation: activation, condition: condition?.detached())
  }
}
