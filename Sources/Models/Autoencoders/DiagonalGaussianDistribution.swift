public import Tensors

/// The posterior q(z|x) = N(mean, diag(variance)) of a picture, as diffusers' class of this name.
public struct DiagonalGaussianDistribution: Sendable {
  /// `[N, h, w, C]`.
  public let mean: Tensor
  /// log σ², `[N, h, w, C]`, in −30…20; nil if the autoencoder is deterministic.
  public let logVariance: Tensor?

  /// A distribution from its mean and its log-variance, which is clamped to −30…20.
  public init(mean: Tensor, logVariance: Tensor?) {
    self.mean = mean
    self.logVariance = logVariance?.clamped(to: -30...20)
  }

  /// A distribution from an encoder's output: `[N, h, w, 2C]`, the means before the log-variances.
  public init(moments: Tensor) {
    let channels = moments.shape[-1] / 2
    self.init(
      mean: moments.channels(0..<channels), logVariance: moments.channels(channels..<2 * channels))
  }

  /// The most probable latent, which is the mean.
  public var mode: Tensor { mean }

  /// σ, `[N, h, w, C]`; nil if the autoencoder is deterministic.
  public var standardDeviation: Tensor? { logVariance?.exp(scale: 0.5) }

  /// Means and log-variances, `[N, h, w, 2C]`; nil if the autoencoder is deterministic.
  public var moments: Tensor? { logVariance.map { mean.concatenatedChannels(with: $0) } }

  /// mean + σ·ε, the reparameterisation trick of Kingma and Welling 2013, arXiv:1312.6114.
  ///
  /// - Parameter noise: ε ~ N(0, 1), of the mean's shape.
  /// - Returns: latents of the mean's shape.
  public func sample(noise: Tensor) -> Tensor {
    standardDeviation.map { mean + $0 * noise } ?? mean
  }

  /// KL(q ‖ N(0, 1)) = ½·Σ(μ² + σ² − 1 − log σ²), in nats, for each picture: `[N]`.
  ///
  /// 0 if the autoencoder is deterministic.
  public func klDivergence() -> Tensor {
    let images: Shape = [mean.shape[0]]
    guard let logVariance else { return Tensor(zeros: images) }
    let terms = mean.squared() + (logVariance.exp() - 1 - logVariance)
    return terms.sum(over: 1..<terms.shape.rank).reshaped(to: images) * 0.5
  }
}
