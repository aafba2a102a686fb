public import Layers
public import Tensors

/// A model's parameters as a checkpoint has them: by name, in its layouts.
public struct WeightCollector: ParameterVisitor {
  /// The names and tensors, in the order in which data flows.
  public private(set) var tensors: [(name: String, tensor: Tensor)] = []

  /// The parameters of `model`.
  public init(_ model: some ParameterContainer) {
    var model = model
    // This visitor throws nothing.
    try? model.visitParameters(at: .root, with: &self)
  }

  /// Takes one parameter.
  public mutating func visit(
    _ parameter: inout Tensor, at path: ParameterPath, layout: ParameterLayout
  ) {
    tensors.append((path.description, layout.toCheckpoint(parameter)))
  }
}
