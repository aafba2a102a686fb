import Layers
import Tensors

/// Puts a checkpoint's tensors into a model.
struct WeightLoader: ParameterVisitor {
  private let checkpoint: Checkpoint

  /// Loads all parameters of `model`.
  ///
  /// - Throws: ``CheckpointError/mismatch(source:_:)`` unless the checkpoint has just the model's
  ///   tensors, before any is read; and the errors of reading.
  static func load(
    _ checkpoint: Checkpoint, into model: inout some ParameterContainer
  ) throws {
    var shapes = ShapeCollector()
    try model.visitParameters(at: .root, with: &shapes)
    let report = KeyReport(expected: shapes.shapes, found: checkpoint.shapes)
    guard report.isEmpty else {
      throw CheckpointError.mismatch(source: checkpoint.source, report)
    }
    var loader = WeightLoader(checkpoint: checkpoint)
    try model.visitParameters(at: .root, with: &loader)
  }

  private init(checkpoint: Checkpoint) {
    self.checkpoint = checkpoint
  }

  mutating func visit(
    _ parameter: inout Tensor, at path: ParameterPath, layout: ParameterLayout
  ) throws {
    parameter = layout.fromCheckpoint(try checkpoint.tensor(named: path.description))
  }
}

/// The names and shapes that a model's checkpoint has.
private struct ShapeCollector: ParameterVisitor {
  var shapes: [String: Shape] = [:]

  mutating func visit(
    _ parameter: inout Tensor, at path: ParameterPath, layout: ParameterLayout
  ) {
    shapes[path.description] = layout.checkpointShape(of: parameter.shape)
  }
}
