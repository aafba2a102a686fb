import CKernels

/// How many numbers one iteration of an elementwise loop takes: large enough to pay for the loop,
/// small enough to share the work evenly.
private let chunk = 1 << 15

/// What is done with two numbers.
enum BinaryKernel {
  case add, subtract, multiply, divide
  /// x + scale · z
  case addScaled(Float)
  /// x where z lies in the range, else 0.
  case clampGradient(ClosedRange<Float>)
  /// x · (1 − (z / limit)²)
  case softClampGradient(Float)
  /// x times a function's derivative at z.
  case derivative(lvae_function, parameter: Float)

  @unsafe fileprivate func run(
    _ x: UnsafePointer<Float>, _ z: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>,
    _ count: Int
  ) {
    switch self {
    case .add: unsafe lvae_add(x, z, y, count)
    case .subtract: unsafe lvae_subtract(x, z, y, count)
    case .multiply: unsafe lvae_multiply(x, z, y, count)
    case .divide: unsafe lvae_divide(x, z, y, count)
    case .addScaled(let scale): unsafe lvae_add_scaled(x, scale, z, y, count)
    case .clampGradient(let range):
      unsafe lvae_clamp_gradient(z, range.lowerBound, range.upperBound, x, y, count)
    case .softClampGradient(let limit): unsafe lvae_soft_clamp_gradient(z, limit, x, y, count)
    case .derivative(let function, let parameter):
      unsafe lvae_function_gradient(lvae_best_isa(), function, parameter, z, x, y, count)
    }
  }
}

/// What is done with one number.
enum UnaryKernel {
  case affine(scale: Float, offset: Float)
  case softClamp(Float)
  case exp(scale: Float)
  case clamp(ClosedRange<Float>)
  case function(lvae_function, parameter: Float)
  case activation(Activation)

  @unsafe fileprivate func run(
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ count: Int
  ) {
    switch self {
    case .affine(let scale, let offset): unsafe lvae_affine(x, scale, offset, y, count)
    case .softClamp(let limit): unsafe lvae_soft_clamp(x, limit, y, count)
    case .exp(let scale): unsafe lvae_exp(x, scale, y, count)
    case .clamp(let range):
      unsafe lvae_clamp(x, range.lowerBound, range.upperBound, y, count)
    case .function(let function, let parameter):
      unsafe lvae_function_apply(lvae_best_isa(), function, parameter, x, y, count)
    case .activation(let activation):
      unsafe lvae_scale_shift_activation(
        lvae_best_isa(), x, nil, nil, y, 1, count, activation.kernel)
    }
  }
}

extension Tensor {
  /// The kernel's results, not recorded.
  func mapped(_ kernel: UnaryKernel) -> Tensor {
    let result = Storage(count: shape.scalarCount)
    stretches { start, count in
      unsafe kernel.run(storage.base + start, result.base + start, count)
    }
    return Tensor(shape: shape, storage: result)
  }

  /// The kernel's results of self and another tensor, not recorded.
  func combined(_ kernel: BinaryKernel, _ other: Tensor) -> Tensor {
    let result = Storage(count: shape.scalarCount)
    combine(kernel, other, into: result)
    return Tensor(shape: shape, storage: result)
  }

  /// As ``combined(_:_:)``, in self's memory if nobody else holds it.
  consuming func combinedInPlace(_ kernel: BinaryKernel, _ other: Tensor) -> Tensor {
    let result = takeMemory()
    combine(kernel, other, into: result)
    return Tensor(shape: shape, storage: result)
  }

  /// Memory of this size: its own, if nobody else holds that.
  mutating func takeMemory() -> Storage {
    isKnownUniquelyReferenced(&storage) ? storage : Storage(count: shape.scalarCount)
  }

  /// Adds another tensor, in self's memory if nobody else holds it.
  mutating func accumulate(_ other: consuming Tensor) {
    let result =
      isKnownUniquelyReferenced(&storage) ? storage : other.takeMemory()
    combine(.add, other, into: result)
    self = Tensor(shape: shape, storage: result)
  }

  private func combine(_ kernel: BinaryKernel, _ other: Tensor, into result: Storage) {
    precondition(shape == other.shape, "\(shape) with \(other.shape)")
    stretches { start, count in
      unsafe kernel.run(
        storage.base + start, other.storage.base + start, result.base + start, count)
    }
  }

  private func stretches(_ body: (_ start: Int, _ count: Int) -> Void) {
    let count = shape.scalarCount
    ThreadPool.current.run(count: (count + chunk - 1) / chunk) { index, _ in
      body(index * chunk, min(chunk, count - index * chunk))
    }
  }

  /// The numbers scale[c] · x + offset[c] of each image, not recorded; both hold one number a
  /// channel for all images, or for each.
  func modulating(scale: Storage, offset: Storage) -> Tensor {
    let channels = shape[-1]
    let images = scale.count / max(channels, 1)
    let pixels = shape.scalarCount / max(channels, 1) / images
    let rows = max(1, chunk / max(channels, 1))
    let blocks = (pixels + rows - 1) / rows
    let result = Storage(count: shape.scalarCount)
    ThreadPool.current.run(count: images * blocks) { index, _ in
      let (image, first) = (index / blocks, index % blocks * rows)
      let start = (image * pixels + first) * channels
      unsafe lvae_affine_channels(
        storage.base + start, scale.base + image * channels, offset.base + image * channels,
        result.base + start, min(rows, pixels - first), channels)
    }
    return Tensor(shape: shape, storage: result)
  }

  /// Whether no number is infinite or NaN.
  public var isFinite: Bool {
    unsafe lvae_all_finite(storage.base, shape.scalarCount) != 0
  }
}
