import CKernels

/// A convolution that can be computed in bands of rows.
package struct RowConvolution: Sendable {
  /// What is done beside the sum of products.
  package enum Kind: Sendable {
    /// An output for each pixel, or each second.
    case plain
    /// Behind an enlargement ×2, nearest neighbour: 3×3.
    case upsampling
    /// Transposed: 4×4 of stride 2, padding 1.
    case transposed
  }

  let weight: Tensor
  let bias: Tensor?
  let kind: Kind
  let stride: Int
  let padding: ConvolutionPadding
  let activation: Activation

  /// A convolution, see `Tensor.conv2d` and `Tensor.convTranspose2d`.
  package init(
    weight: Tensor, bias: Tensor?, kind: Kind = .plain, stride: Int = 1,
    padding: ConvolutionPadding, activation: Activation = .identity
  ) {
    precondition(activation.isFused, "a convolution with \(activation)")
    self.weight = weight
    self.bias = bias
    self.kind = kind
    self.stride = stride
    self.padding = padding
    self.activation = activation
  }

  /// The channels of the result.
  package var outputChannels: Int { weight.shape[3] }
  /// The channels of the input.
  package var inputChannels: Int { weight.shape[2] }

  /// The rows of the result for an input of so many.
  package func outputHeight(_ height: Int) -> Int {
    guard kind == .plain else { return 2 * height }
    return (height + padding.top + padding.bottom - weight.shape[0]) / stride + 1
  }

  /// The columns of the result for an input of so many.
  package func outputWidth(_ width: Int) -> Int {
    guard kind == .plain else { return 2 * width }
    return (width + padding.left + padding.right - weight.shape[1]) / stride + 1
  }

  /// Of how many rows a band must be a multiple, the last excepted.
  package var rowMultiple: Int { kind == .plain ? 1 : 2 }

  /// The rows of an input of `height` that rows of the result depend on.
  package func inputRows(for rows: Range<Int>, height: Int) -> Range<Int> {
    guard kind == .plain else {
      return max(rows.lowerBound / 2 - 1, 0)..<min((rows.upperBound + 1) / 2 + 1, height)
    }
    let first = max(rows.lowerBound * stride - padding.top, 0)
    let end = (rows.upperBound - 1) * stride - padding.top + weight.shape[0]
    return min(first, height)..<min(max(end, first), height)
  }

  /// What the kernels compute for rows of the result.
  fileprivate func kernelShape(
    _ rows: Range<Int>, inputWidth: Int, _ inputRows: Range<Int>
  ) -> lvae_conv2d_shape {
    var shape = lvae_conv2d_shape()
    shape.batch = 1
    shape.height = inputRows.count
    shape.width = inputWidth
    shape.in_channels = inputChannels
    shape.out_height = rows.count
    shape.out_width = outputWidth(inputWidth)
    shape.out_channels = outputChannels
    shape.kernel_height = weight.shape[0]
    shape.kernel_width = weight.shape[1]
    switch kind {
    case .plain:
      shape.stride = stride
      shape.pad_top = max(padding.top - rows.lowerBound * stride, 0)
      shape.pad_left = padding.left
    case .upsampling, .transposed:
      shape.stride = kind == .transposed ? 2 : 1
      shape.pad_top = rows.lowerBound == 0 ? 1 : 0
      shape.pad_left = 1
      shape.upsample = kind == .upsampling
      shape.transposed = kind == .transposed
    }
    return shape
  }
}

/// A convolution with its weights as the kernels want them, which all bands share.
package final class PackedRowWeights {
  let convolution: RowConvolution
  private let ledger: RowLedger
  /// The algorithm of most bands, and the bytes of its weights.
  private let algorithm: String
  private let byteCount: Int
  /// The bytes that are taken while a band is computed: by the kernels, on all threads, and by the
  /// weights for another algorithm.
  let workingByteCount: Int
  private var packed: Storage?

  /// The weights for bands of so many rows.
  ///
  /// - Precondition: some kernel computes the convolution.
  package init(
    _ convolution: RowConvolution, bandRows: Int, inputWidth: Int, ledger: RowLedger
  ) {
    self.convolution = convolution
    self.ledger = ledger
    let multiple = convolution.rowMultiple
    // The first and the last bands have other heights, which may suit another algorithm.
    let plans = [bandRows, bandRows + 3, 1].map { count in
      let rows = 0..<(count + multiple - 1) / multiple * multiple
      let shape = convolution.kernelShape(
        rows, inputWidth: inputWidth, convolution.inputRows(for: rows, height: .max / 4))
      guard let plan = ConvolutionPlan(shape) else {
        preconditionFailure("no kernel for rows of \(convolution.weight.shape)")
      }
      return plan
    }
    algorithm = plans[0].algorithm
    byteCount = plans[0].packedByteCount
    let others = plans.filter { $0.algorithm != plans[0].algorithm }.map(\.packedByteCount)
    workingByteCount = (plans.map(\.scratchByteCount).max() ?? 0) + (others.max() ?? 0)
    ledger.take(byteCount)
  }

  deinit {
    ledger.give(byteCount)
  }

  func packed(for plan: ConvolutionPlan) -> Storage {
    guard plan.algorithm == algorithm else { return plan.packedAnew(convolution.weight) }
    if let packed { return packed }
    let made = plan.packedAnew(convolution.weight)
    packed = made
    return made
  }
}

extension RowWindow {
  /// Adds the next `count` rows of a convolution.
  ///
  /// - Parameters:
  ///   - count: how many.
  ///   - weights: what is computed.
  ///   - input: holds the rows that are needed, see ``RowConvolution/inputRows(for:height:)``.
  ///   - height: the rows of the whole input.
  ///   - residual: holds the same rows as those that are added; they are added to the sum.
  package func append(
    _ count: Int, _ weights: PackedRowWeights, of input: RowWindow, height: Int,
    residual: RowWindow? = nil
  ) {
    let convolution = weights.convolution
    let added = rows.upperBound..<rows.upperBound + count
    let needed = convolution.inputRows(for: added, height: height)
    precondition(
      input.channels == convolution.inputChannels && channels == convolution.outputChannels
        && width == convolution.outputWidth(input.width), "a convolution of another shape")
    precondition(
      input.rows.clamped(to: needed) == needed, "rows \(input.rows) where \(needed) are needed")
    unsafe append(count) { target in
      let shape = convolution.kernelShape(added, inputWidth: input.width, needed)
      guard let plan = ConvolutionPlan(shape) else {
        preconditionFailure("no kernel for rows of \(convolution.weight.shape)")
      }
      unsafe plan.run(
        input: input.pointer(toRow: needed.lowerBound), packed: weights.packed(for: plan),
        output: target, bias: convolution.bias,
        residual: residual.map { unsafe UnsafePointer($0.pointer(toRow: added.lowerBound)) },
        activation: convolution.activation)
    }
    ledger.note(weights.workingByteCount)
  }
}
