public import Tensors

extension Tensor {
  /// `[N, H, W, C]` with the last row and column repeated until both sides are multiples of
  /// `factor`; the original stands in the top left, see ``cropped(height:width:)``.
  ///
  /// - Precondition: there are four axes, the sides are at least 1, and so is `factor`.
  public func padded(toMultipleOf factor: Int) -> Tensor {
    precondition(shape.rank == 4, "\(shape) isn't N×H×W×C")
    precondition(
      factor >= 1 && shape[1] >= 1 && shape[2] >= 1, "\(shape) to multiples of \(factor)")
    return padded(
      height: (shape[1] + factor - 1) / factor * factor,
      width: (shape[2] + factor - 1) / factor * factor)
  }

  /// `[N, height, width, C]`, with the last row and column repeated.
  ///
  /// - Precondition: neither side is below this tensor's.
  func padded(height: Int, width: Int) -> Tensor {
    precondition(height >= shape[1] && width >= shape[2], "\(shape) to \(height)×\(width)")
    guard height != shape[1] || width != shape[2] else { return self }
    let channelCount = shape[3]
    let sourceRow = shape[2] * channelCount
    let (sourceHeight, sourceWidth) = (shape[1], shape[2])
    return unsafe Tensor(shape: [shape[0], height, width, channelCount]) { target in
      unsafe withUnsafePointer { source in
        guard var to = target.baseAddress else { return }
        for row in 0..<shape[0] * height {
          let y = row / height * sourceHeight + min(row % height, sourceHeight - 1)
          let from = unsafe source + y * sourceRow
          unsafe to.initialize(from: from, count: sourceRow)
          unsafe to += sourceRow
          for _ in sourceWidth..<width {
            unsafe to.initialize(from: from + (sourceRow - channelCount), count: channelCount)
            unsafe to += channelCount
          }
        }
      }
    }
  }

  /// The top left `[N, height, width, C]` of `[N, H, W, C]`: undoes ``padded(toMultipleOf:)``.
  ///
  /// - Precondition: there are four axes, and the sides aren't larger than this tensor's.
  public func cropped(height: Int, width: Int) -> Tensor {
    precondition(shape.rank == 4, "\(shape) isn't N×H×W×C")
    precondition(
      (0...shape[1]).contains(height) && (0...shape[2]).contains(width),
      "\(height)×\(width) cut from \(shape)")
    guard height != shape[1] || width != shape[2] else { return self }
    let (sourceRow, row) = (shape[2] * shape[3], width * shape[3])
    return unsafe Tensor(shape: [shape[0], height, width, shape[3]]) { target in
      unsafe withUnsafePointer { source in
        guard let to = target.baseAddress else { return }
        for index in 0..<shape[0] * height {
          let y = index / height * shape[1] + index % height
          unsafe (to + index * row).initialize(from: source + y * sourceRow, count: row)
        }
      }
    }
  }
}
