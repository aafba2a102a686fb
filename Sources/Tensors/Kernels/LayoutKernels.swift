import CKernels

extension Tensor {
  /// `[N, C, H, W]` → `[N, H, W, C]`: from the layout of other projects' files to ours.
  public func channelsLast() -> Tensor {
    precondition(shape.rank == 4, "\(shape) is not N×C×H×W")
    return transposingEach(
      rows: shape[1], columns: shape[2] * shape[3],
      to: [shape[0], shape[2], shape[3], shape[1]])
  }

  /// `[N, H, W, C]` → `[N, C, H, W]`: from our layout to that of other projects' files.
  public func channelsFirst() -> Tensor {
    precondition(shape.rank == 4, "\(shape) is not N×H×W×C")
    return transposingEach(
      rows: shape[1] * shape[2], columns: shape[3],
      to: [shape[0], shape[3], shape[1], shape[2]])
  }

  /// A matrix with rows and columns exchanged.
  public func transposed() -> Tensor {
    precondition(shape.rank == 2, "\(shape) is not a matrix")
    return transposingEach(rows: shape[0], columns: shape[1], to: [shape[1], shape[0]])
  }

  /// `[A, B, C]` → `[B, A, C]`.
  public func swappingOuterAxes() -> Tensor {
    precondition(shape.rank == 3, "\(shape) has not three axes")
    let (a, b, c) = (shape[0], shape[1], shape[2])
    let result = Storage(count: shape.scalarCount)
    for index in 0..<a {
      unsafe lvae_copy_strided(
        storage.base + index * b * c, c, result.base + index * c, a * c, c, b)
    }
    return Tensor(shape: [b, a, c], storage: result)
  }

  /// Transposes each consecutive `[rows, columns]` matrix of the scalars.
  private func transposingEach(rows: Int, columns: Int, to shape: Shape) -> Tensor {
    let result = Storage(count: shape.scalarCount)
    let size = rows * columns
    for matrix in 0..<(size == 0 ? 0 : shape.scalarCount / size) {
      unsafe lvae_transpose(
        storage.base + matrix * size, rows, columns, result.base + matrix * size)
    }
    return Tensor(shape: shape, storage: result)
  }

  /// The channels in `range`: `[…, C]` → `[…, range.count]`.
  public func channels(_ range: Range<Int>) -> Tensor {
    let channels = shape[-1]
    precondition(range.upperBound <= channels, "channels \(range) of \(shape)")
    let pixels = shape.scalarCount / max(channels, 1)
    let result = Storage(count: pixels * range.count)
    unsafe lvae_copy_strided(
      storage.base + range.lowerBound, channels, result.base, range.count, range.count, pixels)
    return Tensor(
      shape: Shape(shape.dimensions.dropLast() + [range.count]), storage: result)
  }

  /// The same pixels with the channels of `other` behind ours: `[…, C]` and `[…, D]` → `[…, C + D]`.
  public func concatenatedChannels(with other: Tensor) -> Tensor {
    let (left, right) = (shape[-1], other.shape[-1])
    let pixels = shape.scalarCount / max(left, 1)
    precondition(
      shape.dimensions.dropLast() == other.shape.dimensions.dropLast(),
      "\(shape) beside \(other.shape)")
    let result = Storage(count: pixels * (left + right))
    unsafe lvae_copy_strided(storage.base, left, result.base, left + right, left, pixels)
    unsafe lvae_copy_strided(
      other.storage.base, right, result.base + left, left + right, right, pixels)
    return Tensor(shape: Shape(shape.dimensions.dropLast() + [left + right]), storage: result)
  }

  /// Each pixel as a square of 2×2: `[N, H, W, C]` → `[N, 2H, 2W, C]`.
  public func upsampledNearest2x() -> Tensor {
    let (height, width, channels) = (shape[1], shape[2], shape[3])
    let result = Storage(count: 4 * shape.scalarCount)
    ThreadPool.current.run(count: shape[0] * height) { row, _ in
      unsafe lvae_upsample_nearest_2x(
        storage.base + row * width * channels, 1, width, channels,
        result.base + row * 4 * width * channels)
    }
    return Tensor(shape: [shape[0], 2 * height, 2 * width, channels], storage: result)
  }
}
