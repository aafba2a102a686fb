public import Layers
public import Tensors

/// The optimiser AdamW: Adam with weight decay apart from the gradient.
///
/// Loshchilov and Hutter 2017, "Decoupled weight decay regularization", arXiv:1711.05101,
/// algorithm 2, in the order of operations of PyTorch's `torch.optim.AdamW`. With the learning rate
/// η of the step, the gradient g, and t counting from 1:
///
/// x ← x(1 − ηλ), m ← m + (1 − β₁)(g − m), v ← β₂v + (1 − β₂)g²,
/// x ← x − η/(1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε).
///
/// Its state is a value: a copy goes on from the same step. Results don't depend on the number of
/// threads.
public struct AdamW: Sendable {
  /// What stays the same for the whole run.
  public struct Settings: Hashable, Sendable {
    /// How much of the mean of gradients is kept; 0..<1.
    public var beta1 = 0.9
    /// How much of the mean of squared gradients is kept; 0..<1.
    public var beta2 = 0.999
    /// Added to the root of the mean square; above 0.
    public var epsilon = 1e-8
    /// λ, of which a learning rate's part is taken from parameters at each step; at least 0.
    public var weightDecay = 0.01
    /// Whether the parameters with one axis, biases and the scales of norms, shrink too.
    public var decaysNormsAndBiases = false

    /// PyTorch's defaults.
    public init() {}
  }

  /// The means of a parameter's gradients.
  public struct Moments: Sendable {
    /// m, the mean of gradients; of the parameter's shape.
    public var first: Tensor
    /// v, the mean of squared gradients; of the parameter's shape.
    public var second: Tensor

    /// Moments.
    ///
    /// - Precondition: both have one shape.
    public init(first: Tensor, second: Tensor) {
      precondition(first.shape == second.shape, "moments \(first.shape) and \(second.shape)")
      self.first = first
      self.second = second
    }
  }

  /// What stays the same.
  public let settings: Settings
  /// How many steps were made.
  public var stepCount = 0
  /// The means, by parameters' names; those that had no gradient yet aren't there.
  public var moments: [ParameterPath: Moments] = [:]

  /// An optimiser before its first step.
  public init(_ settings: Settings = Settings()) {
    self.settings = settings
  }

  /// Makes one step: moves the parameters of `model` against their gradients.
  ///
  /// - Parameters:
  ///   - model: what is trained.
  ///   - learningRate: η of this step.
  ///   - gradientScale: what gradients are multiplied with first, see ``GradientClipping``.
  ///   - gradient: the gradient of a parameter, of the parameter's shape; a parameter without one
  ///     stays as it is.
  public mutating func update(
    _ model: inout some ParameterContainer, learningRate: Double, gradientScale: Double = 1,
    along gradient: (ParameterPath) -> Tensor?
  ) {
    stepCount += 1
    withoutActuallyEscaping(gradient) { gradient in
      var step = Step(optimizer: self, gradient: gradient) { decay in
        Tensor.AdamWFactors(
          betas: (Float(settings.beta1), Float(settings.beta2)),
          gradientScale: Float(gradientScale), decay: Float(1 - learningRate * decay),
          stepSize: Float(learningRate / (1 - power(settings.beta1, stepCount))),
          inverseRootCorrection: Float(
            1 / (1 - power(settings.beta2, stepCount)).squareRoot()),
          epsilon: Float(settings.epsilon))
      }
      moments = [:]  // so that each old tensor goes as soon as its successor is there
      // This visitor throws nothing.
      try? model.visitParameters(at: .root, with: &step)
      moments = step.moments
    }
  }
}

/// Replaces each parameter that has a gradient.
private struct Step: ParameterVisitor {
  let gradient: (ParameterPath) -> Tensor?
  let plain, decaying: Tensor.AdamWFactors
  let decaysAll: Bool
  var moments: [ParameterPath: AdamW.Moments]

  init(
    optimizer: AdamW, gradient: @escaping (ParameterPath) -> Tensor?,
    factors: (_ decay: Double) -> Tensor.AdamWFactors
  ) {
    self.gradient = gradient
    plain = factors(0)
    decaying = factors(optimizer.settings.weightDecay)
    decaysAll = optimizer.settings.decaysNormsAndBiases
    moments = optimizer.moments
  }

  mutating func visit(
    _ parameter: inout Tensor, at path: ParameterPath, layout: ParameterLayout
  ) {
    guard let gradient = gradient(path) else { return }
    let old = moments[path]
    let new = parameter.adamWStep(
      gradient: gradient, first: old?.first ?? Tensor(zeros: parameter.shape),
      second: old?.second ?? Tensor(zeros: parameter.shape),
      factors: decaysAll || parameter.shape.rank > 1 ? decaying : plain)
    parameter = new.parameter
    moments[path] = AdamW.Moments(first: new.first, second: new.second)
  }
}

/// baseⁿ by repeated squaring: the same bits on every machine.
func power(_ base: Double, _ exponent: Int) -> Double {
  var (result, square, rest) = (1.0, base, exponent)
  while rest > 0 {
    if rest & 1 == 1 { result *= square }
    square *= square
    rest >>= 1
  }
  return result
}
