public import Tensors

extension ParameterContainer {
  /// Gives every parameter random numbers, of a size that keeps signals about 1.
  ///
  /// Weights are N(0, 1/inputs), biases N(0, 0.1²), scales of norms N(1, 0.1²). For tests and
  /// benchmarks: nobody trained such a model.
  public mutating func randomize(using source: inout some RandomSource) {
    var initializer = RandomInitializer(source: source)
    // This visitor throws nothing.
    try? visitParameters(at: .root, with: &initializer)
    source = initializer.source
  }
}

private struct RandomInitializer<Source: RandomSource>: ParameterVisitor {
  var source: Source

  mutating func visit(_ parameter: inout Tensor, at path: ParameterPath, layout: ParameterLayout) {
    let shape = parameter.shape
    let isMatrix = shape.rank > 1
    let isScale = !isMatrix && path.description.hasSuffix("weight")
    let inputs = shape.scalarCount / shape[shape.rank - 1]
    let size = isMatrix ? (1 / Float(inputs)).squareRoot() : 0.1
    let values = source.normals(count: shape.scalarCount).map { size * $0 + (isScale ? 1 : 0) }
    parameter = Tensor(values, shape: shape)
  }
}
