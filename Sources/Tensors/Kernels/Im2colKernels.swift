import CKernels

// Convolutions of any form as products of strips of im2col with the kernel's matrix: for the forms
// that no faster kernel has, and as what those are tested against. The strips depend on the sizes
// alone, so that the result doesn't depend on the number of threads.

/// A strip's matrix of patches has at most this many floats (2 MiB, half a core's share of cache),
/// unless a single row is larger, and at most `maximumStripRows` rows.
private let maximumStripFloats = 1 << 19
private let maximumStripRows = 512

/// How many rows a strip's matrix of patches has.
func im2colStripRows(patchLength: Int, pixels: Int) -> Int {
  min(max(1, maximumStripFloats / max(patchLength, 1)), maximumStripRows, max(pixels, 1))
}

extension Tensor {
  package func convolvingByIm2col(
    _ geometry: ConvolutionGeometry, _ weight: Tensor, _ epilogue: ConvolutionEpilogue
  ) -> Tensor {
    let result = Storage(count: geometry.outputShape.scalarCount)
    let window = geometry.im2colWindow
    let pixels = geometry.outputHeight * geometry.outputWidth
    let channels = geometry.weight[3]
    unsafe multiplyStrips(window, pixels: pixels, weight.storage, channels) { image, first in
      let start = (image * pixels + first) * channels
      return unsafe StripTarget(
        output: result.base + start, epilogue: epilogue,
        residual: epilogue.residual.map { unsafe UnsafePointer($0.storage.base + start) })
    }
    return Tensor(shape: geometry.outputShape, storage: result)
  }

  /// Where one strip's products go, row by row without gaps.
  @unsafe private struct StripTarget {
    let output: UnsafeMutablePointer<Float>
    let epilogue: ConvolutionEpilogue
    let residual: UnsafePointer<Float>?

    /// Writes what the products are added to.
    func start(rows: Int, channels: Int) {
      let count = rows * channels
      if let residual = unsafe residual {
        unsafe output.update(from: residual, count: count)
      } else {
        unsafe output.initialize(repeating: 0, count: count)
      }
      guard let bias = unsafe epilogue.bias else { return }
      for row in 0..<rows {
        let line = unsafe output + row * channels
        unsafe lvae_add(line, bias.storage.base, line, channels)
      }
    }

    func finish(rows: Int, channels: Int) {
      guard unsafe epilogue.activation != .identity else { return }
      unsafe lvae_scale_shift_activation(
        lvae_best_isa(), output, nil, nil, output, rows, channels, epilogue.activation.kernel)
    }
  }

  /// For each image and each strip of `pixels` grid positions: target += patches · weight.
  private func multiplyStrips(
    _ window: lvae_im2col_shape, pixels: Int, _ weight: Storage, _ channels: Int,
    target: (_ image: Int, _ firstPixel: Int) -> StripTarget
  ) {
    let length = window.kernel_height * window.kernel_width * window.channels
    let rows = im2colStripRows(patchLength: length, pixels: pixels)
    let strips = (pixels + rows - 1) / rows
    let imageSize = window.height * window.width * window.channels
    let direct = window.isPicture(pixels: pixels)
    unsafe ThreadPool.current.run(
      count: shape[0] * strips, scratchCount: direct ? 0 : rows * length
    ) { index, scratch in
      let (image, first) = (index / strips, index % strips * rows)
      let count = min(rows, pixels - first)
      let source = unsafe storage.base + image * imageSize
      var patches = unsafe source + first * length
      if !direct {
        unsafe patches = scratch
        var window = window
        unsafe lvae_im2col(&window, source, first, count, patches)
      }
      let target = unsafe target(image, first)
      unsafe target.start(rows: count, channels: channels)
      unsafe BLAS.multiply(
        m: count, n: channels, k: length, a: patches, aStride: length,
        b: weight.base, bStride: channels, beta: 1, c: target.output, cStride: channels)
      unsafe target.finish(rows: count, channels: channels)
    }
  }

  /// A transposed convolution as `stride²` plain ones, each giving the output pixels of one phase:
  /// output o and tap t meet input i where o = i·stride − padding + t.
  package func convolvingTransposedByIm2col(
    _ weight: Tensor, _ epilogue: ConvolutionEpilogue, stride: Int, padding: ConvolutionPadding,
    outputShape: Shape
  ) -> Tensor {
    let result = Storage(count: outputShape.scalarCount)
    for phaseY in 0..<stride {
      for phaseX in 0..<stride {
        let y = Phase(
          phaseY, stride, padding.top, kernel: weight.shape[0], outputs: outputShape[1])
        let x = Phase(
          phaseX, stride, padding.left, kernel: weight.shape[1], outputs: outputShape[2])
        convolvePhase(y, x, weight, epilogue, stride: stride, outputShape, into: result)
      }
    }
    return Tensor(shape: outputShape, storage: result)
  }

  /// The output pixels along one axis that meet the same taps of a transposed convolution.
  private struct Phase {
    /// The first of the outputs, which are `stride` apart, and their number.
    let first, count: Int
    /// The first of the taps, which are `stride` apart, and their number.
    let firstTap, taps: Int
    /// The input that the first output meets at the first tap.
    let offset: Int

    init(_ phase: Int, _ stride: Int, _ padding: Int, kernel: Int, outputs: Int) {
      first = phase
      count = phase < outputs ? (outputs - phase + stride - 1) / stride : 0
      firstTap = (phase + padding) % stride
      taps = firstTap < kernel ? (kernel - firstTap + stride - 1) / stride : 0
      offset = (phase + padding - firstTap) / stride
    }
  }

  private func convolvePhase(
    _ y: Phase, _ x: Phase, _ weight: Tensor, _ epilogue: ConvolutionEpilogue, stride: Int,
    _ outputShape: Shape, into result: Storage
  ) {
    guard y.count > 0, x.count > 0 else { return }
    let (inputs, channels) = (weight.shape[2], weight.shape[3])
    let matrix = Storage(count: max(1, y.taps * x.taps) * inputs * channels)
    for tapY in 0..<y.taps {
      for tapX in 0..<x.taps {
        let (ky, kx) = (y.firstTap + tapY * stride, x.firstTap + tapX * stride)
        let size = inputs * channels
        unsafe (matrix.base + (tapY * x.taps + tapX) * size).update(
          from: weight.storage.base + (ky * weight.shape[1] + kx) * size, count: size)
      }
    }
    var window = lvae_im2col_shape()
    window.height = shape[1]
    window.width = shape[2]
    window.channels = inputs
    window.grid_width = x.count
    window.kernel_height = y.taps
    window.kernel_width = x.taps
    window.stride = 1
    window.offset_y = y.offset
    window.offset_x = x.offset
    window.tap_step = -1
    let pixels = y.count * x.count
    let products = Storage(count: shape[0] * pixels * channels)
    unsafe multiplyStrips(window, pixels: pixels, matrix, channels) { image, first in
      unsafe StripTarget(
        output: products.base + (image * pixels + first) * channels, epilogue: epilogue,
        residual: nil)
    }
    // Each row of products goes to every stride-th pixel of a row of the result.
    ThreadPool.current.run(count: shape[0] * y.count) { row, _ in
      let (image, line) = (row / y.count, row % y.count * stride + y.first)
      let start = (image * outputShape[1] + line) * outputShape[2] + x.first
      unsafe lvae_copy_strided(
        products.base + row * x.count * channels, channels,
        result.base + start * channels, stride * channels, channels, x.count)
    }
  }
}

extension ConvolutionGeometry {
  /// The patches that the kernel is multiplied with.
  var im2colWindow: lvae_im2col_shape {
    var window = lvae_im2col_shape()
    window.height = input[1]
    window.width = input[2]
    window.channels = input[3]
    window.grid_width = outputWidth
    window.kernel_height = weight[0]
    window.kernel_width = weight[1]
    window.stride = stride
    window.offset_y = -padding.top
    window.offset_x = -padding.left
    window.tap_step = 1
    window.upsample = upsampling
    return window
  }
}

extension lvae_im2col_shape {
  /// Whether the picture itself is the matrix of patches for a grid of so many pixels, as it is for
  /// a 1×1 kernel that meets each pixel once.
  func isPicture(pixels: Int) -> Bool {
    kernel_height == 1 && kernel_width == 1 && stride == 1 && offset_y == 0 && offset_x == 0
      && !upsample && grid_width == width && pixels == height * width
  }
}
