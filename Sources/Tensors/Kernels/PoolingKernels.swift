import CKernels

// None of these is recorded: the operations that call them are.
extension Tensor {
  /// scale times each pixel as a square of 2×2, in the given shape, of which an odd last row and
  /// column become 0.
  func doublingPixels(scale: Float = 1, to shape: Shape) -> Tensor {
    let (height, width, channels) = (self.shape[1], self.shape[2], self.shape[3])
    let isWhole = shape[1] == 2 * height && shape[2] == 2 * width
    let result = Storage(count: shape.scalarCount, zeroed: !isWhole)
    let source = scale == 1 ? self : mapped(.affine(scale: scale, offset: 0))
    let rowCount = shape[2] * channels
    ThreadPool.current.run(count: shape[0] * height) { row, _ in
      let input = unsafe source.storage.base + row * width * channels
      let output =
        unsafe result.base + (row / height * shape[1] + row % height * 2) * rowCount
      if isWhole {
        unsafe lvae_upsample_nearest_2x(input, 1, width, channels, output)
      } else {
        for line in 0..<2 {
          for column in 0..<2 {
            unsafe lvae_copy_strided(
              input, channels, output + line * rowCount + column * channels, 2 * channels,
              channels, width)
          }
        }
      }
    }
    return Tensor(shape: shape, storage: result)
  }

  /// scale times the sum of each square of 2×2 pixels; an odd last row or column is left out.
  func addingSquares(scale: Float) -> Tensor {
    unsafe poolingSquares { input, row, width, channels, output in
      unsafe lvae_sum_2x2(input, row, 1, width, channels, scale, output)
    }
  }

  /// The greatest of each square of 2×2 pixels; an odd last row or column is left out.
  func greatestOfSquares() -> Tensor {
    unsafe poolingSquares { input, row, width, channels, output in
      unsafe lvae_max_2x2(input, row, 1, width, channels, output)
    }
  }

  /// The gradient of ``greatestOfSquares()`` at self, from that of its result.
  func greatestOfSquaresGradient(_ gradient: Tensor) -> Tensor {
    let (height, width, channels) = (shape[1] / 2, shape[2] / 2, shape[3])
    let isWhole = shape[1] % 2 == 0 && shape[2] % 2 == 0
    let result = Storage(count: shape.scalarCount, zeroed: !isWhole)
    let rowCount = shape[2] * channels
    ThreadPool.current.run(count: shape[0] * height) { row, _ in
      let start = (row / height * shape[1] + row % height * 2) * rowCount
      unsafe lvae_max_2x2_gradient(
        storage.base + start, gradient.storage.base + row * width * channels, rowCount, 1, width,
        channels, result.base + start)
    }
    return Tensor(shape: shape, storage: result)
  }

  private func poolingSquares(
    _ kernel: (UnsafePointer<Float>, Int, Int, Int, UnsafeMutablePointer<Float>) -> Void
  ) -> Tensor {
    let (height, width, channels) = (shape[1] / 2, shape[2] / 2, shape[3])
    let rowCount = shape[2] * channels
    let result = Storage(count: shape[0] * height * width * channels)
    ThreadPool.current.run(count: shape[0] * height) { row, _ in
      unsafe kernel(
        storage.base + (row / height * shape[1] + row % height * 2) * rowCount, rowCount, width,
        channels, result.base + row * width * channels)
    }
    return Tensor(shape: [shape[0], height, width, channels], storage: result)
  }

  /// Each consecutive block of numbers correlated with taps that are `step` numbers apart.
  func correlating(_ taps: [Float], step: Int, block: Int, to shape: Shape) -> Tensor {
    let count = block - (taps.count - 1) * step
    let result = Storage(count: shape.scalarCount)
    ThreadPool.current.run(count: self.shape.scalarCount / max(block, 1)) { index, _ in
      unsafe lvae_correlate(
        storage.base + index * block, taps, taps.count, step, result.base + index * count, count)
    }
    return Tensor(shape: shape, storage: result)
  }

  /// The gradient of ``correlating(_:step:block:to:)`` from that of its result.
  func correlatingGradient(_ taps: [Float], step: Int, block: Int, to shape: Shape) -> Tensor {
    let count = block - (taps.count - 1) * step
    let result = Storage(count: shape.scalarCount)
    ThreadPool.current.run(count: shape.scalarCount / max(block, 1)) { index, _ in
      unsafe lvae_correlate_gradient(
        storage.base + index * count, taps, taps.count, step, result.base + index * block, count)
    }
    return Tensor(shape: shape, storage: result)
  }
}
