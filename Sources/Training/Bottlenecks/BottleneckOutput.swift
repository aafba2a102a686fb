public import Models
public import Tensors

/// What a bottleneck made of an encoder's output.
public struct BottleneckOutput: Sendable {
  /// What is decoded, `[N, h, w, C]`.
  public let latents: Tensor
  /// The posterior that latents are a sample of; nil for codes.
  public let posterior: DiagonalGaussianDistribution?
  /// ε of that sample; nil if the mean is decoded.
  public let noise: Tensor?
  /// The codes and their losses; nil for a posterior.
  public let quantization: Quantization?

  /// A sample of a posterior by the reparameterisation trick, z = μ + σε.
  ///
  /// Kingma and Welling 2013, arXiv:1312.6114, section 2.4.
  ///
  /// - Parameters:
  ///   - posterior: q(z|x).
  ///   - noise: ε, of the mean's shape; nil for the mean, which is all that a deterministic
  ///     autoencoder has.
  public init(sampling posterior: DiagonalGaussianDistribution, noise: Tensor?) {
    let noise = posterior.logVariance == nil ? nil : noise
    latents = noise.map { posterior.sample(noise: $0) } ?? posterior.mean
    self.posterior = posterior
    self.noise = noise
    quantization = nil
  }

  /// A sample of a posterior with noise from `source`, which isn't touched if the autoencoder is
  /// deterministic.
  public init(
    sampling posterior: DiagonalGaussianDistribution, using source: inout some RandomSource
  ) {
    self.init(
      sampling: posterior,
      noise: posterior.logVariance == nil
        ? nil : .randomNormal(shape: posterior.mean.shape, using: &source))
  }

  /// Latents that consist of codes.
  init(_ quantization: Quantization, latents: Tensor) {
    self.latents = latents
    posterior = nil
    noise = nil
    self.quantization = quantization
  }
}

/// Which codes were chosen, and what that cost.
public struct Quantization: Sendable {
  /// The code at each position, row by row, picture by picture; counted from 0.
  public let indices: [Int]
  /// How many codes there are.
  public let codeCount: Int
  /// The scalar mean((z − sg[e])²), which keeps the encoder near the book; nil where there is none.
  public let commitmentLoss: Tensor?
  /// The scalar mean((sg[z] − e)²), by which the book learns; nil where it learns by running means.
  public let codebookLoss: Tensor?
  /// What the encoder gave, a row a position, not recorded; nil where there is no book.
  public let inputs: Tensor?

  /// How evenly the codes were used.
  public var usage: CodeUsage { CodeUsage(indices: indices, codeCount: codeCount) }

  /// The same without anything recorded: what may be kept for later.
  public func detached() -> Quantization {
    Quantization(
      indices: indices, codeCount: codeCount, commitmentLoss: commitmentLoss?.detached(),
      codebookLoss: codebookLoss?.detached(), inputs: inputs)
  }
}
