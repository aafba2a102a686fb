extension Tensor {
  /// `[N, C, H, W]` → `[N, H, W, C]`: from the layout of other projects' files to ours.
  public func channelsLast() -> Tensor {
    precondition(shape.rank == 4, "\(shape) is not N×C×H×W")
    return matricesTransposed(
      rows: shape[1], columns: shape[2] * shape[3],
      to: [shape[0], shape[2], shape[3], shape[1]])
  }

  /// `[N, H, W, C]` → `[N, C, H, W]`: from our layout to that of other projects' files.
  public func channelsFirst() -> Tensor {
    precondition(shape.rank == 4, "\(shape) is not N×H×W×C")
    return matricesTransposed(
      rows: shape[1] * shape[2], columns: shape[3],
      to: [shape[0], shape[3], shape[1], shape[2]])
  }

  /// A matrix, or each of several, with rows and columns exchanged: `[…, A, B]` → `[…, B, A]`.
  public func transposed() -> Tensor {
    precondition(shape.rank >= 2, "\(shape) is not a matrix")
    return matricesTransposed(
      rows: shape[-2], columns: shape[-1],
      to: Shape(shape.dimensions.dropLast(2) + [shape[-1], shape[-2]]))
  }

  private func matricesTransposed(rows: Int, columns: Int, to shape: Shape) -> Tensor {
    let result = transposingEach(rows: rows, columns: columns, to: shape)
    guard GradientRecording.isOn(node) else { return result }
    let old = self.shape
    return result.recorded(node) { $0.transposingEach(rows: columns, columns: rows, to: old) }
  }

  /// `[A, B, C]` → `[B, A, C]`.
  public func swappingOuterAxes() -> Tensor {
    precondition(shape.rank == 3, "\(shape) has not three axes")
    let result = exchangingOuterAxes()
    guard GradientRecording.isOn(node) else { return result }
    return result.recorded(node) { $0.exchangingOuterAxes() }
  }

  /// The channels in `range`: `[…, C]` → `[…, range.count]`.
  public func channels(_ range: Range<Int>) -> Tensor {
    let (old, channels) = (shape, shape[-1])
    precondition(range.upperBound <= channels, "channels \(range) of \(shape)")
    let result = takingColumns(
      range, of: channels, to: Shape(shape.dimensions.dropLast() + [range.count]))
    guard GradientRecording.isOn(node) else { return result }
    return result.recorded(node) { $0.placingColumns(range, of: channels, to: old) }
  }

  /// The same pixels with the channels of `other` behind ours: `[…, C]` and `[…, D]` → `[…, C + D]`.
  public func concatenatedChannels(with other: Tensor) -> Tensor {
    let (left, right) = (shape[-1], other.shape[-1])
    precondition(
      shape.dimensions.dropLast() == other.shape.dimensions.dropLast(),
      "\(shape) beside \(other.shape)")
    let result = Tensor.joiningColumns(
      [(self, left), (other, right)], to: Shape(shape.dimensions.dropLast() + [left + right]))
    guard GradientRecording.isOn(node, other.node) else { return result }
    let (shape, otherShape) = (shape, other.shape)
    return result.recorded([node, other.node]) { gradient, isNeeded in
      [
        isNeeded[0] ? gradient.takingColumns(0..<left, of: left + right, to: shape) : nil,
        isNeeded[1]
          ? gradient.takingColumns(left..<left + right, of: left + right, to: otherShape) : nil,
      ]
    }
  }

  /// Tensors one behind the other along the first axis: `[N₁, …]`, `[N₂, …]`, … → `[N₁ + N₂ + …, …]`.
  ///
  /// - Precondition: there is at least one, and their other axes agree.
  public static func concatenatedImages(_ tensors: [Tensor]) -> Tensor {
    precondition(!tensors.isEmpty, "no tensors to put together")
    let rest = Array(tensors[0].shape.dimensions.dropFirst())
    precondition(
      tensors.allSatisfy { $0.shape.rank > 0 && Array($0.shape.dimensions.dropFirst()) == rest },
      "tensors of different shapes: \(tensors.map(\.shape))")
    let images = tensors.reduce(0) { $0 + $1.shape[0] }
    let result = joiningColumns(
      tensors.map { ($0, $0.shape.scalarCount) }, to: Shape([images] + rest))
    guard GradientRecording.isOn(tensors.map(\.node)) else { return result }
    let shapes = tensors.map(\.shape)
    return result.recorded(tensors.map(\.node)) { gradient, isNeeded in
      let total = gradient.shape.scalarCount
      var start = 0
      return zip(shapes, isNeeded).map { shape, isNeeded in
        defer { start += shape.scalarCount }
        return isNeeded
          ? gradient.takingColumns(start..<start + shape.scalarCount, of: total, to: shape) : nil
      }
    }
  }

  /// The images in `range`: `[N, …]` → `[range.count, …]`.
  public func images(_ range: Range<Int>) -> Tensor {
    let (old, total) = (shape, shape.scalarCount)
    precondition(shape.rank > 0 && range.upperBound <= shape[0], "images \(range) of \(shape)")
    let size = total / max(shape[0], 1)
    let columns = range.lowerBound * size..<range.upperBound * size
    let result = takingColumns(
      columns, of: total, to: Shape([range.count] + shape.dimensions.dropFirst()))
    guard GradientRecording.isOn(node) else { return result }
    return result.recorded(node) { $0.placingColumns(columns, of: total, to: old) }
  }

  /// The rows of a table `[R, C]` that have these indices: `[indices.count, C]`.
  ///
  /// What a codebook and an embedding do.
  ///
  /// - Precondition: the indices lie in 0..<R.
  public func rows(_ indices: [Int]) -> Tensor {
    precondition(shape.rank == 2, "\(shape) is not a table")
    let (table, columns) = (shape, shape[1])
    precondition(
      indices.allSatisfy { (0..<table[0]).contains($0) }, "a row beyond those of \(table)")
    let result = takingRows(indices, of: columns, to: [indices.count, columns])
    guard GradientRecording.isOn(node) else { return result }
    return result.recorded(node) { $0.addingRows(at: indices, of: columns, to: table) }
  }
}
