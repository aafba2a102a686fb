extension Tensor {
  /// Each pixel as a square of 2×2: `[N, H, W, C]` → `[N, 2H, 2W, C]`.
  public func upsampledNearest2x() -> Tensor {
    precondition(shape.rank == 4, "\(shape) is not N×H×W×C")
    let result = doublingPixels(to: [shape[0], 2 * shape[1], 2 * shape[2], shape[3]])
    guard GradientRecording.isOn(node) else { return result }
    return result.recorded(node) { $0.addingSquares(scale: 1) }
  }

  /// The mean of each square of 2×2 pixels: `[N, H, W, C]` → `[N, H/2, W/2, C]`.
  ///
  /// An odd last row or column is left out, as PyTorch's `AvgPool2d(2)` does.
  public func averagePooled2x2() -> Tensor {
    precondition(shape.rank == 4, "\(shape) is not N×H×W×C")
    let result = addingSquares(scale: 0.25)
    guard GradientRecording.isOn(node) else { return result }
    let shape = shape
    return result.recorded(node) { $0.doublingPixels(scale: 0.25, to: shape) }
  }

  /// The greatest of each square of 2×2 pixels: `[N, H, W, C]` → `[N, H/2, W/2, C]`.
  ///
  /// An odd last row or column is left out, as PyTorch's `MaxPool2d(2)` does; of equals the first in
  /// reading order gets the gradient.
  public func maxPooled2x2() -> Tensor {
    precondition(shape.rank == 4, "\(shape) is not N×H×W×C")
    let result = greatestOfSquares()
    guard GradientRecording.isOn(node) else { return result }
    let x = detached()
    return result.recorded(node) { x.greatestOfSquaresGradient($0) }
  }

  /// Each channel correlated with the kernel taps ⊗ taps, without padding:
  /// `[N, H, W, C]` → `[N, H − k + 1, W − k + 1, C]`.
  ///
  /// For the Gaussian windows of SSIM. The taps are constants: gradients pass to the tensor alone.
  ///
  /// - Precondition: the picture is at least k by k, and k is at least 1.
  public func filtered(separably taps: [Float]) -> Tensor {
    precondition(
      shape.rank == 4 && !taps.isEmpty && min(shape[1], shape[2]) >= taps.count,
      "\(shape) with a filter of \(taps.count) taps")
    let rest = taps.count - 1
    let wide: Shape = [shape[0], shape[1], shape[2] - rest, shape[3]]
    return filtered(taps, step: shape[3], block: shape[2] * shape[3], to: wide)
      .filtered(
        taps, step: wide[2] * wide[3], block: wide[1] * wide[2] * wide[3],
        to: [wide[0], wide[1] - rest, wide[2], wide[3]])
  }

  private func filtered(_ taps: [Float], step: Int, block: Int, to shape: Shape) -> Tensor {
    let result = correlating(taps, step: step, block: block, to: shape)
    guard GradientRecording.isOn(node) else { return result }
    let old = self.shape
    return result.recorded(node) {
      $0.correlatingGradient(taps, step: step, block: block, to: old)
    }
  }
}
