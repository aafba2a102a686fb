import CKernels

extension Tensor {
  /// The numbers exp(scale · x).
  public func exp(scale: Float = 1) -> Tensor {
    let result = mapped(.exp(scale: scale))
    guard GradientRecording.isOn(node) else { return result }
    let y = result.detached()
    return result.recorded(node) {
      $0.combinedInPlace(.multiply, y).affine(scale: scale, offset: 0)
    }
  }

  /// The natural logarithms; −∞ of 0, NaN of what is below.
  public func log() -> Tensor { applying(lvae_function_log) }

  /// The square roots; NaN of what is below 0.
  public func squareRoot() -> Tensor { applying(lvae_function_square_root) }

  /// The numbers x².
  public func squared() -> Tensor { applying(lvae_function_square) }

  /// The numbers |x|; the gradient at 0 is 0.
  public func absolute() -> Tensor { applying(lvae_function_absolute) }

  /// The hyperbolic tangents.
  public func tanh() -> Tensor { applying(lvae_function_tanh) }

  /// The numbers 1 / (1 + exp(−x)).
  public func sigmoid() -> Tensor { applying(lvae_function_sigmoid) }

  /// The numbers log(1 + exp(x)), without overflow.
  public func softplus() -> Tensor { applying(lvae_function_softplus) }

  /// The numbers x, those below 0 times `slope`.
  public func leakyReLU(slope: Float) -> Tensor {
    applying(lvae_function_leaky_relu, parameter: slope)
  }

  /// The activation of each number.
  public func activated(_ activation: Activation) -> Tensor {
    let result = mapped(.activation(activation))
    guard GradientRecording.isOn(node) else { return result }
    let x = detached()
    return result.recorded(node) { $0.gradient(before: activation, of: x) }
  }

  /// The gradient before an activation, from the one behind it, where `x` is what it was applied to.
  ///
  /// For ReLU `x` may as well be the result.
  consuming func gradient(before activation: Activation, of x: Tensor) -> Tensor {
    switch activation {
    case .identity: self
    case .relu: combinedInPlace(.derivative(lvae_function_relu, parameter: 0), x)
    case .silu: combinedInPlace(.derivative(lvae_function_silu, parameter: 0), x)
    }
  }

  /// The numbers, those beyond the range replaced by its ends, where the gradient is 0.
  public func clamped(to range: ClosedRange<Float>) -> Tensor {
    let result = mapped(.clamp(range))
    guard GradientRecording.isOn(node) else { return result }
    let x = detached()
    return result.recorded(node) { $0.combinedInPlace(.clampGradient(range), x) }
  }

  /// limit · tanh(x / limit): close to x near 0, and never beyond ±limit.
  public func softClamped(to limit: Float) -> Tensor {
    let result = mapped(.softClamp(limit))
    guard GradientRecording.isOn(node) else { return result }
    let y = result.detached()
    return result.recorded(node) { $0.combinedInPlace(.softClampGradient(limit), y) }
  }

  private func applying(_ function: lvae_function, parameter: Float = 0) -> Tensor {
    let result = mapped(.function(function, parameter: parameter))
    guard GradientRecording.isOn(node) else { return result }
    // Some derivatives are simpler in terms of the result.
    let usesResult = [lvae_function_sigmoid, lvae_function_tanh, lvae_function_square_root]
      .contains(function)
    let place = usesResult ? result.detached() : detached()
    return result.recorded(node) {
      $0.combinedInPlace(.derivative(function, parameter: parameter), place)
    }
  }
}
