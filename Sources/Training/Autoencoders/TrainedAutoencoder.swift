public import Layers
public import Models
import Tensors

/// All that learns in a run beside the discriminator: the network, what stands between its halves,
/// and what the objective learns.
public struct TrainedAutoencoder<Model: Autoencoder>: ParameterContainer {
  /// The network, whose parameters keep their names.
  public var model: Model
  /// What stands between encoder and decoder; its parameters are below `bottleneck`.
  public var bottleneck: Bottleneck
  /// The objective's own parameters, below `objective`.
  public var objective: ObjectiveParameters

  /// Shows each parameter to `visitor`, under its name below `path`.
  public mutating func visitParameters(
    at path: ParameterPath, with visitor: inout some ParameterVisitor
  ) throws {
    try model.visitParameters(at: path, with: &visitor)
    try bottleneck.visitParameters(at: path / "bottleneck", with: &visitor)
    try objective.visitParameters(at: path / "objective", with: &visitor)
  }

  /// The posterior of pictures `[N, H, W, 3]`.
  ///
  /// - Parameters:
  ///   - pictures: in −1…1.
  ///   - repeats: whether activations are computed again for gradients, and not kept.
  /// - Returns: the distribution.
  func encode(_ pictures: Tensor, repeating repeats: Bool) -> DiagonalGaussianDistribution {
    guard repeats else { return model.encode(pictures) }
    let model = model
    guard model.hasPosterior else {
      return DiagonalGaussianDistribution(
        mean: checkpointed { model.encode(pictures).mean }, logVariance: nil)
    }
    return DiagonalGaussianDistribution(
      moments: checkpointed {
        let posterior = model.encode(pictures)
        return posterior.moments ?? posterior.mean
      })
  }

  /// The pictures of latents; see ``encode(_:repeating:)``.
  func decode(_ latents: Tensor, repeating repeats: Bool) -> Tensor {
    guard repeats else { return model.decode(latents) }
    let model = model
    return checkpointed { model.decode(latents) }
  }
}
