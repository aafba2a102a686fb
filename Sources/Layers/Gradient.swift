public import Tensors

/// The derivatives of a loss with respect to a model's parameters, in the layout that these have in
/// memory.
///
/// A value: gradients of several batches can be added, scaled and measured.
public struct Gradient: Sendable {
  /// The parameters that there is a derivative of, in the order in which the model shows them.
  public private(set) var paths: [ParameterPath] = []
  private var tensors: [ParameterPath: Tensor] = [:]

  /// A gradient without any derivative: what others are added to.
  public init() {}

  /// The derivative with respect to a parameter, of its shape; nil if the loss doesn't depend on it,
  /// or it was left out.
  public subscript(path: ParameterPath) -> Tensor? {
    get { tensors[path] }
    set {
      let isKnown = tensors[path] != nil
      tensors[path] = newValue?.detached()
      if isKnown, newValue == nil { paths.removeAll { $0 == path } }
      if !isKnown, newValue != nil { paths.append(path) }
    }
  }

  /// The sum; a derivative that one of them lacks counts as zero.
  public static func + (left: Gradient, right: Gradient) -> Gradient {
    var sum = left
    sum += right
    return sum
  }

  /// Adds another gradient.
  public static func += (sum: inout Gradient, other: Gradient) {
    for path in other.paths {
      guard let term = other[path] else { continue }
      sum[path] = sum[path].map { $0 + term } ?? term
    }
  }

  /// The gradient, each number multiplied by the same one.
  public static func * (gradient: Gradient, scale: Float) -> Gradient {
    var result = gradient
    for path in gradient.paths {
      result[path] = gradient[path].map { $0 * scale }
    }
    return result
  }

  /// The square root of the sum of the squares of all its numbers, as PyTorch's `clip_grad_norm_`
  /// measures it.
  public var norm: Double {
    paths.reduce(0) { $0 + (tensors[$1]?.sumOfSquares ?? 0) }.squareRoot()
  }

  /// Whether no number is infinite or NaN.
  public var isFinite: Bool { tensors.values.allSatisfy { $0.isFinite } }
}
