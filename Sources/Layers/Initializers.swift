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

extension Conv2d {
  /// Gives the weights numbers from N(0, gain / inputs), and the bias zeros.
  ///
  /// - Parameters:
  ///   - gain: 2 keeps the size of signals where ReLU follows (He et al. 2015, arXiv:1502.01852,
  ///     equation 10), 1 where nothing does; 0 gives zeros.
  ///   - source: the random numbers.
  public mutating func initialize(gain: Float, using source: inout some RandomSource) {
    let shape = weight.shape
    let size = (gain / Float(shape.scalarCount / shape[3])).squareRoot()
    weight =
      gain == 0
      ? Tensor(zeros: shape)
      : Tensor(source.normals(count: shape.scalarCount).map { size * $0 }, shape: shape)
    if let bias { self.bias = Tensor(zeros: bias.shape) }
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
