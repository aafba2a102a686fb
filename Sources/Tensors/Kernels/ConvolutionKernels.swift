import CKernels

extension Tensor {
  func convolving(
    _ geometry: ConvolutionGeometry, _ weight: Tensor, _ epilogue: consuming ConvolutionEpilogue
  ) -> Tensor {
    guard let plan = ConvolutionPlan(geometry.kernelShape) else {
      return convolvingByIm2col(geometry, weight, epilogue)
    }
    return plan.run(self, weight, epilogue, outputShape: geometry.outputShape)
  }

  func convolvingTransposed(
    _ weight: Tensor, _ epilogue: ConvolutionEpilogue, stride: Int, padding: Int,
    outputShape: Shape
  ) -> Tensor {
    var shape = lvae_conv2d_shape(self.shape, weight.shape, outputShape, stride: stride)
    shape.pad_top = padding
    shape.pad_left = padding
    shape.transposed = true
    guard let plan = ConvolutionPlan(shape) else {
      return convolvingTransposedByIm2col(
        weight, epilogue, stride: stride, padding: ConvolutionPadding(padding),
        outputShape: outputShape)
    }
    return plan.run(self, weight, epilogue, outputShape: outputShape)
  }
}

extension ConvolutionGeometry {
  var kernelShape: lvae_conv2d_shape {
    var shape = lvae_conv2d_shape(input, weight, outputShape, stride: stride)
    shape.pad_top = padding.top
    shape.pad_left = padding.left
    shape.upsample = upsampling
    return shape
  }
}

extension lvae_conv2d_shape {
  fileprivate init(_ input: Shape, _ weight: Shape, _ output: Shape, stride: Int) {
    self.init()
    batch = input[0]
    height = input[1]
    width = input[2]
    in_channels = input[3]
    out_height = output[1]
    out_width = output[2]
    out_channels = output[3]
    kernel_height = weight[0]
    kernel_width = weight[1]
    self.stride = stride
  }
}

extension ConvolutionEpilogue {
  /// Memory for the result: the residual's if nobody else holds it, else new.
  mutating func takeOutput(count: Int) -> Storage {
    guard var held = residual.take() else { return Storage(count: count) }
    let isOurs = isKnownUniquelyReferenced(&held.storage)
    residual = held
    return isOurs ? held.storage : Storage(count: count)
  }
}

/// How one convolution is computed: an algorithm and its blocking, see `convolution.h`.
@safe final class ConvolutionPlan {
  private let plan: OpaquePointer
  private let pixelCount: Int

  /// The plan for a shape; nil if no kernel computes it.
  init?(_ shape: lvae_conv2d_shape) {
    var shape = shape
    // Large tiles, which round more, are for large pictures: there they save most. Many channels pay
    // for them earlier, unless their weights, 16/9 as large as for small tiles, weigh too much.
    let channels = min(shape.in_channels, shape.out_channels)
    let isLarge =
      shape.out_width >= (channels >= 256 ? 64 : 128)
      && shape.in_channels * shape.out_channels <= 1 << 18
    guard
      let plan = unsafe lvae_conv2d_plan_create(
        &shape, lvae_best_isa(),
        isLarge ? lvae_conv2d_accuracy_fast : lvae_conv2d_accuracy_standard)
    else { return nil }
    unsafe self.plan = plan
    pixelCount = shape.out_height * shape.out_width
  }

  deinit {
    unsafe lvae_conv2d_plan_destroy(plan)
  }

  /// The convolution of `x`, with weights `[kh, kw, Ci, Co]`.
  func run(
    _ x: Tensor, _ weight: Tensor, _ epilogue: consuming ConvolutionEpilogue, outputShape: Shape
  ) -> Tensor {
    let packed = packed(weight)
    let result = epilogue.takeOutput(count: outputShape.scalarCount)
    unsafe run(
      input: x.storage.base, packed: packed, output: result.base, bias: epilogue.bias,
      residual: epilogue.residual.map { unsafe UnsafePointer($0.storage.base) },
      activation: epilogue.activation.isFused ? epilogue.activation : .identity)
    let output = Tensor(shape: outputShape, storage: result)
    return epilogue.activation.isFused ? output : output.activated(epilogue.activation)
  }

  /// One convolution in memory that the caller holds; `residual` may be `output`.
  func run(
    input: UnsafePointer<Float>, packed: Storage, output: UnsafeMutablePointer<Float>,
    bias: Tensor?, residual: UnsafePointer<Float>?, activation: Activation
  ) {
    var epilogue = unsafe lvae_conv2d_epilogue(
      bias: bias.map { unsafe UnsafePointer($0.storage.base) }, residual: residual,
      activation: activation.kernel)
    unsafe ThreadPool.current.run(
      count: lvae_conv2d_task_count(plan),
      scratchCount: lvae_conv2d_scratch_bytes(plan) / MemoryLayout<Float>.stride
    ) { task, scratch in
      unsafe lvae_conv2d_run_task(
        plan, input, packed.base, output, &epilogue, scratch, task)
    }
  }

  /// The bytes that ``packed(_:)`` gives.
  var packedByteCount: Int {
    unsafe lvae_conv2d_packed_count(plan) * MemoryLayout<Float>.stride
  }

  /// The bytes that a run takes for itself, on all threads.
  var scratchByteCount: Int {
    unsafe lvae_conv2d_scratch_bytes(plan) * ThreadPool.current.threadCount
  }

  /// The name of the algorithm; weights that are packed for one can't be used with another.
  var algorithm: String { unsafe String(cString: lvae_conv2d_algorithm_name(plan)) }

  /// The weights in the form that this plan wants them in.
  func packed(_ weight: Tensor) -> Storage {
    weight.storage.packedWeights.value(
      for: algorithm, pixelCount: pixelCount, isCopy: algorithm == "direct"
    ) { packedAnew(weight) }
  }

  /// The same, without keeping them beside the weights.
  func packedAnew(_ weight: Tensor) -> Storage {
    let packed = Storage(count: unsafe lvae_conv2d_packed_count(plan))
    ThreadPool.current.run(count: unsafe lvae_conv2d_pack_task_count(plan)) { task, _ in
      unsafe lvae_conv2d_pack_task(plan, weight.storage.base, packed.base, task)
    }
    return packed
  }
}

extension Activation {
  /// Whether the convolution kernels apply it themselves.
  var isFused: Bool { self != .silu }
}
