public import Layers
public import Models
import Tensors

/// All that the optimiser of a run moves: the network, and what its objective learns beside it.
public struct TrainedAutoencoder<Model: Autoencoder>: ParameterContainer {
  /// The network, whose parameters keep their names.
  public var model: Model
  /// The objective's own parameters, below `objective`.
  public var objective: ObjectiveParameters

  /// A network and the parameters of an objective.
  public init(model: Model, objective: ObjectiveParameters) {
    self.model = model
    self.objective = objective
  }

  /// Shows each parameter to `visitor`, under its name below `path`.
  public mutating func visitParameters(
    at path: ParameterPath, with visitor: inout some ParameterVisitor
  ) throws {
    try model.visitParameters(at: path, with: &visitor)
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
