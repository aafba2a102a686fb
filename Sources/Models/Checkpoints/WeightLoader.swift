package import Layers
import Synchronization
import Tensors

/// Puts a checkpoint's tensors into a model.
struct WeightLoader: ParameterVisitor {
  private var tensors: [String: Tensor]

  /// Loads the parameters of `model`, on all threads.
  ///
  /// - Parameters:
  ///   - checkpoint: Where they are read from.
  ///   - model: What they are put into.
  ///   - isWanted: Which of them are kept; the others are read and inspected only.
  ///   - inspect: Shown each tensor as the checkpoint has it, on any thread, in any order.
  /// - Throws: ``CheckpointError/mismatch(source:_:)`` unless the checkpoint has just the model's
  ///   tensors, before any is read; and the errors of reading.
  static func load(
    _ checkpoint: Checkpoint, into model: inout some ParameterContainer,
    where isWanted: (String) -> Bool, inspect: (String, Tensor) -> Void
  ) throws {
    var collector = LayoutCollector()
    try model.visitParameters(at: .root, with: &collector)
    let report = KeyReport(expected: collector.shapes, found: checkpoint.shapes)
    guard report.isEmpty else {
      throw CheckpointError.mismatch(source: checkpoint.source, report)
    }
    var loader = WeightLoader(
      tensors: try read(collector.layouts, checkpoint, where: isWanted, inspect: inspect))
    try model.visitParameters(at: .root, with: &loader)
  }

  private static func read(
    _ layouts: [(name: String, layout: ParameterLayout)], _ checkpoint: Checkpoint,
    where isWanted: (String) -> Bool, inspect: (String, Tensor) -> Void
  ) throws -> [String: Tensor] {
    let results = Mutex<(tensors: [String: Tensor], failure: CheckpointError?)>(([:], nil))
    ThreadPool.current.run(count: layouts.count) { index, _ in
      let (name, layout) = layouts[index]
      do throws(CheckpointError) {
        let tensor = try checkpoint.tensor(named: name)
        inspect(name, tensor)
        guard isWanted(name) else { return }
        let converted = layout.fromCheckpoint(tensor)
        results.withLock { $0.tensors[name] = converted }
      } catch {
        results.withLock { $0.failure = $0.failure ?? error }
      }
    }
    return try results.withLock { results in
      if let failure = results.failure { throw failure }
      return results.tensors
    }
  }

  mutating func visit(
    _ parameter: inout Tensor, at path: ParameterPath, layout: ParameterLayout
  ) {
    if let tensor = tensors.removeValue(forKey: path.description) { parameter = tensor }
  }
}

extension Checkpoint {
  /// Puts all tensors into a model, on all threads.
  ///
  /// - Throws: ``CheckpointError/mismatch(source:_:)`` unless they are just the model's, before any
  ///   is read; and the errors of reading.
  package func load(into model: inout some ParameterContainer) throws {
    try WeightLoader.load(self, into: &model, where: { _ in true }, inspect: { _, _ in })
  }
}

/// The names, layouts and shapes of a model's parameters in a checkpoint.
private struct LayoutCollector: ParameterVisitor {
  var layouts: [(name: String, layout: ParameterLayout)] = []
  var shapes: [String: Shape] = [:]

  mutating func visit(
    _ parameter: inout Tensor, at path: ParameterPath, layout: ParameterLayout
  ) {
    layouts.append((path.description, layout))
    shapes[path.description] = layout.checkpointShape(of: parameter.shape)
  }
}
