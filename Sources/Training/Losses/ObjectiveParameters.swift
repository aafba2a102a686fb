public import Layers
public import Tensors

/// What is learned beside the model: the scale of the likelihood.
///
/// Part of what the optimiser updates and checkpoints hold.
public struct ObjectiveParameters: ParameterContainer {
  /// ln σ of `gaussian`, or ln b of `laplace`, `[1]`; nil where it isn't learned.
  public var logScale: Tensor?

  /// The parameters of an objective, before training.
  public init(_ settings: ObjectiveSettings) {
    guard settings.reconstruction.isLikelihood, settings.learnsLikelihoodScale else { return }
    logScale = Tensor(
      [Float(ElementaryFunctions.logarithm(settings.likelihoodScale))], shape: [1])
  }

  /// Shows each parameter to `visitor`, under its name below `path`.
  public mutating func visitParameters(
    at path: ParameterPath, with visitor: inout some ParameterVisitor
  ) throws {
    guard var value = logScale else { return }
    try visitor.visit(&value, at: path / "log_scale", layout: .unchanged)
    logScale = value
  }
}
