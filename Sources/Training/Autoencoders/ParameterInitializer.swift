public import Layers
public import Tensors

extension ParameterContainer {
  /// Gives every parameter the value with which training starts.
  ///
  /// Weights and biases of convolutions and linear layers are uniform in ±1/√inputs (PyTorch's
  /// default: He et al. 2015, arXiv:1502.01852, equation 15 with a = √5); embeddings are standard
  /// normal; norms start with a scale of 1 and an offset of 0.
  ///
  /// - Parameter source: fixes the numbers.
  public mutating func initialize(using source: inout some RandomSource) {
    var initializer = Initializer(source: source)
    // This visitor throws nothing.
    try? visitParameters(at: .root, with: &initializer)
    source = initializer.source
  }
}

private struct Initializer<Source: RandomSource>: ParameterVisitor {
  var source: Source
  /// The bound of the layer whose weight came last, which is its bias's too; nil for a norm.
  private var bound: Float?

  init(source: Source) {
    self.source = source
  }

  mutating func visit(_ parameter: inout Tensor, at path: ParameterPath, layout: ParameterLayout) {
    let shape = parameter.shape
    let isWeight = path.description.hasSuffix("weight")
    if layout == .unchanged, shape.rank == 2 {
      parameter = Tensor.randomNormal(shape: shape, using: &source)
      return
    }
    if isWeight { bound = Self.bound(shape, layout) }
    guard let bound else {
      parameter = Tensor(repeating: isWeight ? 1 : 0, shape: shape)
      return
    }
    parameter = Tensor.randomUniform(shape: shape, using: &source)
      .affine(scale: 2 * bound, offset: -bound)
  }

  /// 1/√inputs; nil for the scale of a norm.
  private static func bound(_ shape: Shape, _ layout: ParameterLayout) -> Float? {
    let inputs: Int? =
      switch layout {
      case .unchanged: nil
      case .convolution: shape[0] * shape[1] * shape[2]
      // As PyTorch counts them: the outputs that an input has.
      case .transposedConvolution: shape[0] * shape[1] * shape[3]
      case .linear: shape[0]
      }
    return inputs.map { 1 / Float(max(1, $0)).squareRoot() }
  }
}
