import CKernels

/// How many numbers one iteration of an elementwise loop takes: large enough to pay for the loop,
/// small enough to share the work evenly.
private let chunk = 1 << 15

extension Tensor {
  /// The result of `kernel(x, y, count)` on each stretch of the scalars, in parallel.
  func mapping(
    _ kernel: (UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int) -> Void
  ) -> Tensor {
    let result = Storage(count: shape.scalarCount)
    let count = shape.scalarCount
    ThreadPool.current.run(count: (count + chunk - 1) / chunk) { index, _ in
      let start = index * chunk
      unsafe kernel(storage.base + start, result.base + start, min(chunk, count - start))
    }
    return Tensor(shape: shape, storage: result)
  }

  /// The result of `kernel(x, z, y, count)` on each stretch of the scalars of two tensors.
  func mapping(
    with other: Tensor,
    _ kernel: (
      UnsafePointer<Float>, UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int
    ) -> Void
  ) -> Tensor {
    precondition(shape == other.shape, "\(shape) with \(other.shape)")
    let base = unsafe UnsafePointer(storage.base)
    return unsafe other.mapping { z, y, count in
      unsafe kernel(base + (z - UnsafePointer(other.storage.base)), z, y, count)
    }
  }

  /// The numbers scale · x + offset.
  public func affine(scale: Float, offset: Float) -> Tensor {
    unsafe mapping { x, y, count in unsafe lvae_affine(x, scale, offset, y, count) }
  }

  /// limit · tanh(x / limit): close to x near 0, and never beyond ±limit.
  public func softClamped(to limit: Float) -> Tensor {
    unsafe mapping { x, y, count in unsafe lvae_soft_clamp(x, limit, y, count) }
  }

  /// The numbers exp(scale · x).
  public func exp(scale: Float = 1) -> Tensor {
    unsafe mapping { x, y, count in unsafe lvae_exp(x, scale, y, count) }
  }

  /// The numbers, those beyond the range replaced by its ends.
  public func clamped(to range: ClosedRange<Float>) -> Tensor {
    unsafe mapping { x, y, count in
      unsafe lvae_clamp(x, range.lowerBound, range.upperBound, y, count)
    }
  }

  /// The sum, number by number.
  public static func + (left: Tensor, right: Tensor) -> Tensor {
    unsafe left.mapping(with: right) { x, z, y, count in unsafe lvae_add(x, z, y, count) }
  }

  /// The product, number by number.
  public static func * (left: Tensor, right: Tensor) -> Tensor {
    unsafe left.mapping(with: right) { x, z, y, count in unsafe lvae_multiply(x, z, y, count) }
  }

  /// The numbers scale[c] · x + offset[c], where c is the channel (the last axis).
  ///
  /// - Parameters:
  ///   - scale: `[C]`.
  ///   - offset: `[C]`.
  /// - Returns: a tensor of the same shape.
  public func affineChannels(scale: Tensor, offset: Tensor) -> Tensor {
    let channels = shape[-1]
    precondition(
      scale.shape == [channels] && offset.shape == [channels],
      "\(channels) channels with \(scale.shape) and \(offset.shape)")
    let result = Storage(count: shape.scalarCount)
    unsafe lvae_affine_channels(
      storage.base, scale.storage.base, offset.storage.base, result.base,
      shape.scalarCount / channels, channels)
    return Tensor(shape: shape, storage: result)
  }

  /// Whether no number is infinite or NaN.
  public var isFinite: Bool {
    unsafe lvae_all_finite(storage.base, shape.scalarCount) != 0
  }
}
