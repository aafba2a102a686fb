import CKernels

extension Tensor {
  /// The factors of one step of AdamW.
  package struct AdamWFactors: Sendable {
    /// How much of the old mean of gradients, and of their squares, is kept.
    package var betas: (Float, Float)
    /// What gradients are multiplied with first.
    package var gradientScale: Float
    /// 1 − learning rate · weight decay.
    package var decay: Float
    /// learning rate / (1 − β₁ᵗ).
    package var stepSize: Float
    /// 1 / √(1 − β₂ᵗ).
    package var inverseRootCorrection: Float
    /// Added to the root of the mean square.
    package var epsilon: Float

    /// Factors; see ``Tensor/adamWStep(gradient:first:second:factors:)`` for the formula.
    package init(
      betas: (Float, Float), gradientScale: Float, decay: Float, stepSize: Float,
      inverseRootCorrection: Float, epsilon: Float
    ) {
      self.betas = betas
      self.gradientScale = gradientScale
      self.decay = decay
      self.stepSize = stepSize
      self.inverseRootCorrection = inverseRootCorrection
      self.epsilon = epsilon
    }
  }

  /// One step of AdamW on this parameter.
  ///
  /// With the parameter x, the scaled gradient g and the moments m and v:
  /// m' = m + (1 − β₁)(g − m), v' = β₂v + (1 − β₂)g²,
  /// x' = decay · x − stepSize · m' / (√v' · inverseRootCorrection + ε).
  ///
  /// - Precondition: all tensors have one shape.
  package func adamWStep(
    gradient: Tensor, first: Tensor, second: Tensor, factors: AdamWFactors
  ) -> (parameter: Tensor, first: Tensor, second: Tensor) {
    precondition(
      shape == gradient.shape && shape == first.shape && shape == second.shape,
      "a parameter \(shape) with a gradient \(gradient.shape) and moments \(first.shape)")
    let count = shape.scalarCount
    let results = (Storage(count: count), Storage(count: count), Storage(count: count))
    var factors = lvae_adamw_factors(
      beta1: factors.betas.0, beta2: factors.betas.1, gradient_scale: factors.gradientScale,
      decay: factors.decay, step_size: factors.stepSize,
      inverse_root_correction: factors.inverseRootCorrection, epsilon: factors.epsilon)
    unsafe Swift.withUnsafePointer(to: &factors) { factors in
      forEachSlice(of: count) { start, count in
        unsafe lvae_adamw(
          storage.base + start, gradient.storage.base + start, first.storage.base + start,
          second.storage.base + start, results.0.base + start, results.1.base + start,
          results.2.base + start, count, factors)
      }
    }
    return (
      Tensor(shape: shape, storage: results.0), Tensor(shape: shape, storage: results.1),
      Tensor(shape: shape, storage: results.2)
    )
  }

  /// weight · self + otherWeight · other, number by number.
  ///
  /// - Precondition: both have one shape.
  package func blended(weight: Float, with other: Tensor, weight otherWeight: Float) -> Tensor {
    precondition(shape == other.shape, "\(shape) with \(other.shape)")
    let result = Storage(count: shape.scalarCount)
    forEachSlice(of: shape.scalarCount) { start, count in
      unsafe lvae_blend(
        storage.base + start, weight, other.storage.base + start, otherWeight,
        result.base + start, count)
    }
    return Tensor(shape: shape, storage: result)
  }
}

/// How many numbers a thread takes at a time.
private let sliceCount = 1 << 15

/// Calls `body` in parallel with the start and count of each slice of `count` numbers.
private func forEachSlice(of count: Int, _ body: (_ start: Int, _ count: Int) -> Void) {
  ThreadPool.current.run(count: (count + sliceCount - 1) / sliceCount) { index, _ in
    body(index * sliceCount, min(sliceCount, count - index * sliceCount))
  }
}
