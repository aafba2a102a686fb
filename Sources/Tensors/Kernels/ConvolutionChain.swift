import CKernels

/// What lies between two convolutions is kept for about this much of the picture at a time.
private let bandByteCount = 4 << 20

/// Convolutions of one large picture, one behind the other, in bands of full rows.
///
/// Convolution k is always one row behind the one before it, whose last two rows it needs again for
/// the next band. The last writes row r when the first has read row r + 3, so it may write into the
/// memory that the first reads from.
struct ConvolutionChain {
  private let convolutions: [ChainedConvolution]
  private let height, width: Int
  private let activation: Activation
  private let bandRows: Int

  /// Nil if the picture is so small that bands aren't worth it.
  init?(_ convolutions: [ChainedConvolution], input: Shape, _ activation: Activation) {
    let channels = convolutions.dropLast().map { $0.weight.shape[3] }.max() ?? 0
    let rowBytes = input[2] * channels * MemoryLayout<Float>.stride
    guard
      input[0] == 1, convolutions.count > 1, rowBytes * input[1] > 2 * bandByteCount,
      activation.isFused
    else { return nil }
    self.convolutions = convolutions
    self.activation = activation
    height = input[1]
    width = input[2]
    // Twelve rows are whole tiles of the Winograd kernels, of 4 and of 6.
    bandRows = max(12, bandByteCount / rowBytes / 12 * 12)
  }

  func run(_ x: consuming Tensor) -> Tensor {
    var x = x
    let isOurs = isKnownUniquelyReferenced(&x.storage)
    let result = isOurs ? x.storage : Storage(count: x.shape.scalarCount)
    let source = RowBuffer(storage: x.storage, rowCount: width * x.shape[3])
    var stages = convolutions.enumerated().map { index, convolution in
      let rowCount = width * convolution.weight.shape[3]
      let isLast = index == convolutions.count - 1
      return Stage(
        convolution, height: height, width: width,
        output: RowBuffer(
          storage: isLast ? result : Storage(count: (bandRows + 3) * rowCount), rowCount: rowCount))
    }
    var end = 0
    while stages[stages.count - 1].done < height {
      end = min(end + bandRows, height)
      for index in stages.indices {
        let input = index == 0 ? source : stages[index - 1].output
        let available = index == 0 ? height : stages[index - 1].done
        // The next row is needed too, except below the picture.
        let goal = index == 0 ? end : available == height ? height : available - 1
        let isLast = index == stages.count - 1
        // What the next convolution still needs: the row before its next one.
        let kept = isLast ? 0 : max(stages[index + 1].done - 1, 0)
        stages[index].advance(
          to: goal, input: input, keeping: kept, residual: isLast ? source : nil, activation)
      }
    }
    return Tensor(shape: x.shape, storage: result)
  }
}

/// Rows of a picture, from `firstRow` on.
private struct RowBuffer {
  let storage: Storage
  let rowCount: Int
  var firstRow = 0

  func offset(of row: Int) -> Int { (row - firstRow) * rowCount }

  /// Moves the rows from `row` up to `end` to the front.
  mutating func drop(before row: Int, end: Int) {
    guard row > firstRow else { return }
    let start = offset(of: row)
    unsafe storage.base.update(from: storage.base + start, count: (end - row) * rowCount)
    firstRow = row
  }
}

/// One convolution of the chain.
private struct Stage {
  let convolution: ChainedConvolution
  let height, width: Int
  /// How many rows are computed.
  var done = 0
  var output: RowBuffer
  private var weights: BandWeights

  init(_ convolution: ChainedConvolution, height: Int, width: Int, output: RowBuffer) {
    self.convolution = convolution
    self.height = height
    self.width = width
    self.output = output
    weights = BandWeights(convolution.weight)
  }

  mutating func advance(
    to goal: Int, input: RowBuffer, keeping kept: Int, residual: RowBuffer?,
    _ activation: Activation
  ) {
    guard goal > done else { return }
    output.drop(before: kept, end: done)
    let (start, stop) = (max(done - 1, 0), min(goal + 1, height))
    var geometry = ConvolutionGeometry(
      input: [1, stop - start, width, convolution.weight.shape[2]],
      weight: convolution.weight.shape, stride: 1, padding: ConvolutionPadding(1),
      upsampling: false
    ).kernelShape
    geometry.out_height = goal - done
    geometry.pad_top = done == 0 ? 1 : 0
    guard let plan = ConvolutionPlan(geometry) else {
      preconditionFailure("no kernel for a 3×3 convolution")
    }
    unsafe plan.run(
      input: input.storage.base + input.offset(of: start), packed: weights.packed(for: plan),
      output: output.storage.base + output.offset(of: done), bias: convolution.bias,
      residual: residual.map {
        unsafe UnsafePointer($0.storage.base + $0.offset(of: done))
      }, activation: activation)
    done = goal
  }
}
