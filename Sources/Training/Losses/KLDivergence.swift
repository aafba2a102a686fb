public import Models
public import Tensors

extension DiagonalGaussianDistribution {
  /// KL(q ‖ N(0, 1)) of each channel: ½(μ² + σ² − 1 − ln σ²), summed over a picture's positions, in
  /// nats; the mean over the pictures.
  ///
  /// Kingma and Welling 2013, arXiv:1312.6114, appendix B.
  ///
  /// - Returns: `[C]`; zeros if the autoencoder is deterministic.
  public func klPerChannel() -> Tensor {
    guard let logVariance else { return Tensor(zeros: [mean.shape[-1]]) }
    let terms = mean.squared() + (logVariance.exp() - 1 - logVariance)
    return terms.channelMeansOverPictures() * 0.5
  }

  /// The estimate of ``klPerChannel()`` from one sample z = μ + σε: ln q(z|x) − ln p(z) =
  /// ½(z² − ε² − ln σ²), summed over a picture's positions, in nats; the mean over the pictures.
  ///
  /// Its mean over ε is the divergence, and so is its gradient's; Kingma and Welling 2013, the
  /// estimator A of equation 6.
  ///
  /// - Parameter noise: ε, of the mean's shape: that of the sample which is decoded.
  /// - Returns: `[C]`; zeros if the autoencoder is deterministic.
  public func klPerChannel(noise: Tensor) -> Tensor {
    guard let logVariance else { return Tensor(zeros: [mean.shape[-1]]) }
    let terms = sample(noise: noise).squared() - noise.squared() - logVariance
    return terms.channelMeansOverPictures() * 0.5
  }
}

/// What becomes of a divergence before it is counted.
public enum KLDivergence {
  /// Each channel's divergence, those below the free ones replaced by them, where the gradient is 0.
  ///
  /// max(λ, KL); Kingma et al. 2016, arXiv:1606.04934, appendix C.8.
  ///
  /// - Parameters:
  ///   - perChannel: nats a picture, `[C]`: means over a batch.
  ///   - bits: what is free at each position.
  ///   - positions: how many of them a picture has.
  /// - Returns: `[C]`.
  public static func withFreeBits(_ perChannel: Tensor, bits: Double, positions: Int) -> Tensor {
    guard bits > 0 else { return perChannel }
    let free = Float(bits * logTwo * Double(positions))
    return (perChannel - free).activated(.relu) + free
  }

  /// The distance |KL − C| from a capacity; KL itself where C is 0.
  ///
  /// Burgess et al. 2018, arXiv:1804.03599, equation 8.
  public static func aroundCapacity(_ divergence: Tensor, capacity: Double) -> Tensor {
    capacity > 0 ? (divergence - Float(capacity)).absolute() : divergence
  }
}

extension Tensor {
  /// `[N, …, C]` → `[C]`: sums over the positions, means over the pictures.
  func channelMeansOverPictures() -> Tensor {
    let rank = shape.rank
    return sum(over: 0..<(rank - 1)).reshaped(to: [shape[rank - 1]]) / Float(shape[0])
  }
}
