public import Layers
public import Tensors

/// Keeps one bad batch from throwing the parameters far away: gradients that together are longer
/// than a limit are made that long.
///
/// Pascanu et al. 2012, "On the difficulty of training recurrent neural networks",
/// arXiv:1211.5063; as PyTorch's `clip_grad_norm_`, the factor is limit / (norm + 10⁻⁶).
public struct GradientClipping: Hashable, Sendable {
  /// The greatest length of all gradients together; above 0.
  public var maximumNorm: Double

  /// Clipping to a length.
  ///
  /// - Precondition: the length is above 0.
  public init(maximumNorm: Double) {
    precondition(maximumNorm > 0, "gradients clipped to \(maximumNorm)")
    self.maximumNorm = maximumNorm
  }

  /// What gradients of this length are multiplied with: 1, or less where they are too long.
  ///
  /// A length that is infinite or NaN gives NaN: such a step must be left out.
  public func scale(forNorm norm: Double) -> Double {
    guard norm.isFinite else { return .nan }
    return min(1, maximumNorm / (norm + 1e-6))
  }

  /// The length of the gradients of all parameters of `model` together: √Σg².
  ///
  /// It is summed in double precision and in the model's order, so that it is the same for any
  /// number of threads.
  ///
  /// - Parameters:
  ///   - model: whose parameters say which gradients there are, and in which order.
  ///   - gradient: the gradient of a parameter; nil counts as zeros.
  /// - Returns: the length; infinite or NaN if one of the numbers is.
  public static func norm(
    over model: some ParameterContainer, of gradient: (ParameterPath) -> Tensor?
  ) -> Double {
    withoutActuallyEscaping(gradient) { gradient in
      var visitor = SumOfSquares(gradient: gradient)
      var model = model
      // This visitor throws nothing.
      try? model.visitParameters(at: .root, with: &visitor)
      return visitor.sum.squareRoot()
    }
  }
}

private struct SumOfSquares: ParameterVisitor {
  let gradient: (ParameterPath) -> Tensor?
  var sum = 0.0

  mutating func visit(
    _ parameter: inout Tensor, at path: ParameterPath, layout: ParameterLayout
  ) {
    sum += gradient(path)?.sumOfSquares ?? 0
  }
}
