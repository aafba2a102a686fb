public import Layers
public import Tensors

/// A running mean of a model's parameters, which is smoother than the model of any one step.
///
/// After step t (from 0): mean ← d · mean + (1 − d) · parameter, with d = min(decay,
/// (1 + t)/(10 + t)), so that the first steps are soon forgotten (as TensorFlow's
/// `ExponentialMovingAverage` with `num_updates`). Its state is a value.
public struct ExponentialMovingAverage: Sendable {
  /// How much of the mean is kept once it has warmed up; 0..<1.
  public let decay: Double
  /// Whether the first steps are forgotten faster.
  public let warmsUp: Bool
  /// How many steps were taken in.
  public var updateCount = 0
  /// The means, by parameters' names.
  public var averages: [ParameterPath: Tensor] = [:]

  /// A mean that starts with the first parameters it sees.
  ///
  /// - Precondition: `decay` is in 0..<1.
  public init(decay: Double, warmsUp: Bool = true) {
    precondition((0..<1).contains(decay), "an average that keeps \(decay)")
    self.decay = decay
    self.warmsUp = warmsUp
  }

  /// A mean that starts with the parameters of `model`.
  public init(of model: some ParameterContainer, decay: Double, warmsUp: Bool = true) {
    self.init(decay: decay, warmsUp: warmsUp)
    visit(model) { _, parameter in parameter }
  }

  /// How much of the mean the next update keeps.
  public var nextDecay: Double {
    let step = Double(updateCount)
    return warmsUp ? min(decay, (1 + step) / (10 + step)) : decay
  }

  /// Takes in the parameters of `model` after a step.
  public mutating func update(with model: some ParameterContainer) {
    let kept = nextDecay
    visit(model) { average, parameter in
      average.map {
        $0.blended(weight: Float(kept), with: parameter, weight: Float(1 - kept))
      } ?? parameter
    }
    updateCount += 1
  }

  /// Puts the means in the place of the parameters of `model`; those without one stay.
  public func apply(to model: inout some ParameterContainer) {
    var visitor = Replacement(averages: averages)
    // This visitor throws nothing.
    try? model.visitParameters(at: .root, with: &visitor)
  }

  private mutating func visit(
    _ model: some ParameterContainer, _ next: (_ average: Tensor?, _ parameter: Tensor) -> Tensor
  ) {
    withoutActuallyEscaping(next) { next in
      var visitor = Averaging(averages: averages, next: next)
      averages = [:]
      var model = model
      // This visitor throws nothing.
      try? model.visitParameters(at: .root, with: &visitor)
      averages = visitor.averages
    }
  }
}

private struct Averaging: ParameterVisitor {
  var averages: [ParameterPath: Tensor]
  let next: (Tensor?, Tensor) -> Tensor

  mutating func visit(
    _ parameter: inout Tensor, at path: ParameterPath, layout: ParameterLayout
  ) {
    averages[path] = next(averages[path], parameter)
  }
}

private struct Replacement: ParameterVisitor {
  let averages: [ParameterPath: Tensor]

  mutating func visit(
    _ parameter: inout Tensor, at path: ParameterPath, layout: ParameterLayout
  ) {
    if let average = averages[path] { parameter = average }
  }
}
