import CKernels

/// Pictures whose normalised copy would be larger than this are normalised and convolved in bands
/// of rows, each about this large.
private let bandByteCount = 32 << 20

extension Tensor {
  /// The convolution of the normalised tensor, not recorded.
  func convolving(
    _ geometry: ConvolutionGeometry, _ weight: Tensor, _ epilogue: consuming ConvolutionEpilogue,
    after normalization: GroupNormalization, _ statistics: GroupStatistics
  ) -> Tensor {
    guard let bands = NormalizedBands(geometry, epilogue) else {
      return normalizingGroups(normalization, statistics).convolving(geometry, weight, epilogue)
    }
    return bands.run(self, weight, epilogue, normalization, statistics)
  }
}

/// A convolution of one large picture in bands of full rows.
///
/// The bands depend on the sizes alone, and are multiples of the tiles that the kernels compute, so
/// that the result is the same as without them.
private struct NormalizedBands {
  let geometry: ConvolutionGeometry
  let height, rows: Int

  /// Nil where bands aren't worth it, or the convolution isn't one that keeps the picture's size.
  init?(_ geometry: ConvolutionGeometry, _ epilogue: borrowing ConvolutionEpilogue) {
    let input = geometry.input
    let rowBytes = input[2] * input[3] * MemoryLayout<Float>.stride
    guard
      input[0] == 1, input[1] * rowBytes > bandByteCount, geometry.weight[0] == 3,
      geometry.weight[1] == 3, geometry.stride == 1, geometry.padding == ConvolutionPadding(1),
      !geometry.upsampling, epilogue.activation.isFused
    else { return nil }
    self.geometry = geometry
    height = input[1]
    // Twelve rows are whole tiles of the Winograd kernels, of 4 and of 6.
    rows = max(12, bandByteCount / rowBytes / 12 * 12)
  }

  func run(
    _ x: Tensor, _ weight: Tensor, _ epilogue: consuming ConvolutionEpilogue,
    _ normalization: GroupNormalization, _ statistics: GroupStatistics
  ) -> Tensor {
    let (inputRow, outputRow) = (
      geometry.input[2] * geometry.input[3], geometry.outputWidth * geometry.weight[3]
    )
    let band = Storage(count: (rows + 2) * inputRow)
    let result = epilogue.takeOutput(count: geometry.outputShape.scalarCount)
    var weights = BandWeights(weight)
    for first in stride(from: 0, to: height, by: rows) {
      let end = min(first + rows, height)
      // The band's rows and their neighbours, as far as the picture has them.
      let (start, stop) = (max(first - 1, 0), min(end + 1, height))
      x.normalizeRows(
        pixels: start * geometry.input[2]..<stop * geometry.input[2], statistics.scale,
        statistics.shift, normalization.activation, into: band)
      guard let plan = ConvolutionPlan(shape(inputRows: stop - start, first: first, end: end))
      else { preconditionFailure("no kernel for a 3×3 convolution") }
      unsafe plan.run(
        input: band.base, packed: weights.packed(for: plan),
        output: result.base + first * outputRow,
        bias: epilogue.bias,
        residual: epilogue.residual.map {
          unsafe UnsafePointer($0.storage.base + first * outputRow)
        }, activation: epilogue.activation)
    }
    return Tensor(shape: geometry.outputShape, storage: result)
  }

  private func shape(inputRows: Int, first: Int, end: Int) -> lvae_conv2d_shape {
    var shape = geometry.kernelShape
    shape.height = inputRows
    shape.out_height = end - first
    shape.pad_top = first == 0 ? 1 : 0
    return shape
  }
}
