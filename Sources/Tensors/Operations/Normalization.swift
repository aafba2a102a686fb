extension Tensor {
  /// Group normalisation, then an activation.
  ///
  /// Over all pixels of an image and all channels of a group:
  /// y = activation((x − mean) / √(variance + ε) · weight + bias).
  /// Wu and He 2018, arXiv:1803.08494; as PyTorch's `GroupNorm`.
  ///
  /// - Parameters:
  ///   - groups: how many groups the channels are divided into.
  ///   - weight: `[C]`.
  ///   - bias: `[C]`.
  ///   - epsilon: added to the variance.
  ///   - activation: applied last.
  /// - Returns: a tensor of the same shape.
  /// - Precondition: `groups` divides C.
  public func groupNorm(
    groups: Int, weight: Tensor, bias: Tensor, epsilon: Float,
    activation: Activation = .identity
  ) -> Tensor {
    let channels = shape[-1]
    precondition(channels % groups == 0, "\(channels) channels in \(groups) groups")
    precondition(
      weight.shape == [channels] && bias.shape == [channels],
      "\(channels) channels with weights of \(weight.shape) and \(bias.shape)")
    return normalizingGroups(groups, weight, bias, epsilon, activation)
  }
}
