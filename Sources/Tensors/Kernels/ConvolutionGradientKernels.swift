import CKernels

/// Parts that the pixels are divided into when a weight's gradient is summed by matrix products: each
/// has its own sums, and they are added in order.
private let mostParts = 8

/// How many numbers one iteration takes when the parts are added.
private let chunk = 1 << 13

// None of these is recorded: the operations that call them are.
extension ConvolutionGeometry {
  /// The gradient with respect to the input, from that of the result: `[N, H, W, Ci]`.
  func inputGradient(_ gradient: Tensor, _ weight: Tensor) -> Tensor {
    if upsampling, !isUsualUpsampling {
      return enlarged.inputGradient(gradient, weight).addingSquares(scale: 1)
    }
    var forward = kernelShape
    var backward = lvae_conv2d_shape()
    guard unsafe lvae_conv2d_input_gradient_shape(&forward, &backward),
      let plan = ConvolutionPlan(backward)
    else {
      return gradient.convolvingTransposedByIm2col(
        weight.transposed(), ConvolutionEpilogue(nil, nil, .identity), stride: stride,
        padding: padding, outputShape: input)
    }
    let shape: Shape = [
      backward.kernel_height, backward.kernel_width, self.weight[3], self.weight[2],
    ]
    let turned = Storage(count: shape.scalarCount)
    unsafe lvae_conv2d_input_gradient_weights(&forward, weight.storage.base, turned.base)
    return plan.run(
      gradient, Tensor(shape: shape, storage: turned), ConvolutionEpilogue(nil, nil, .identity),
      outputShape: input)
  }

  /// The gradient with respect to the weight: `[kh, kw, Ci, Co]`.
  func weightGradient(_ x: Tensor, _ gradient: Tensor) -> Tensor {
    if upsampling {
      return enlarged.weightGradient(x.doublingPixels(to: enlarged.input), gradient)
    }
    var shape = kernelShape
    guard let plan = unsafe lvae_conv2d_weight_gradient_plan_create(&shape, lvae_best_isa())
    else { return weightGradientByIm2col(x, gradient) }
    defer { unsafe lvae_conv2d_weight_gradient_plan_destroy(plan) }
    let partials = Storage(count: unsafe lvae_conv2d_weight_gradient_partial_count(plan))
    let pool = ThreadPool.current
    unsafe pool.run(
      count: lvae_conv2d_weight_gradient_task_count(plan),
      scratchCount: lvae_conv2d_weight_gradient_scratch_bytes(plan)
        / MemoryLayout<Float>.stride
    ) { task, scratch in
      unsafe lvae_conv2d_weight_gradient_run_task(
        plan, x.storage.base, gradient.storage.base, partials.base, scratch, task)
    }
    let result = Storage(count: weight.scalarCount)
    pool.run(count: unsafe lvae_conv2d_weight_gradient_sum_task_count(plan)) { task, _ in
      unsafe lvae_conv2d_weight_gradient_sum_task(plan, partials.base, result.base, task)
    }
    return Tensor(shape: weight, storage: result)
  }

  /// Whether it is the convolution of an enlarged picture that kernels know.
  private var isUsualUpsampling: Bool {
    weight[0] == 3 && weight[1] == 3 && stride == 1 && padding == ConvolutionPadding(1)
  }

  /// The same convolution of the picture that was enlarged before.
  private var enlarged: ConvolutionGeometry {
    ConvolutionGeometry(
      input: [input[0], 2 * input[1], 2 * input[2], input[3]], weight: weight, stride: stride,
      padding: padding, upsampling: false)
  }

  /// Patchesᵀ · gradient, by strips of pixels.
  private func weightGradientByIm2col(_ x: Tensor, _ gradient: Tensor) -> Tensor {
    let (window, outputs) = (im2colWindow, weight[3])
    let length = weight[0] * weight[1] * weight[2]
    let pixels = outputHeight * outputWidth
    let rows = im2colStripRows(patchLength: length, pixels: pixels)
    let strips = (pixels + rows - 1) / rows
    let total = input[0] * strips
    let parts = min(mostParts, total)
    let sums = Storage(count: parts * length * outputs)
    let isPicture = window.isPicture(pixels: pixels)
    unsafe ThreadPool.current.run(
      count: parts, scratchCount: isPicture ? 0 : rows * length
    ) { part, scratch in
      for index in part * total / parts..<(part + 1) * total / parts {
        let (image, first) = (index / strips, index % strips * rows)
        let count = min(rows, pixels - first)
        let source = unsafe x.storage.base + image * input[1] * input[2] * input[3]
        var patches = unsafe source + first * length
        if !isPicture {
          unsafe patches = scratch
          var window = window
          unsafe lvae_im2col(&window, source, first, count, patches)
        }
        unsafe BLAS.multiply(
          m: length, n: outputs, k: count, a: patches, aStride: length, transposingA: true,
          b: gradient.storage.base + (image * pixels + first) * outputs, bStride: outputs,
          beta: index == part * total / parts ? 0 : 1,
          c: sums.base + part * length * outputs, cStride: outputs)
      }
    }
    return Tensor(shape: weight, storage: sums.addingParts(parts, count: length * outputs))
  }
}

extension Storage {
  /// The sum of `parts` blocks of `count` numbers, in order; its memory may be self's.
  func addingParts(_ parts: Int, count: Int) -> Storage {
    if parts == 1 { return self }
    let result = Storage(count: count)
    ThreadPool.current.run(count: (count + chunk - 1) / chunk) { index, _ in
      let (start, length) = (index * chunk, min(chunk, count - index * chunk))
      let target = unsafe result.base + start
      unsafe lvae_add(base + start, base + count + start, target, length)
      for part in 2..<max(parts, 2) {
        unsafe lvae_add(target, base + part * count + start, target, length)
      }
    }
    return result
  }
}
