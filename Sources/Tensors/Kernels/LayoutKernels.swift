import CKernels

/// How many numbers one iteration of a copying loop takes, about.
private let chunk = 1 << 15

// None of these is recorded: the operations that call them are.
extension Tensor {
  /// Transposes each consecutive `[rows, columns]` matrix of the scalars.
  func transposingEach(rows: Int, columns: Int, to shape: Shape) -> Tensor {
    let result = Storage(count: shape.scalarCount)
    let size = rows * columns
    ThreadPool.current.run(count: size == 0 ? 0 : shape.scalarCount / size) { matrix, _ in
      unsafe lvae_transpose(
        storage.base + matrix * size, rows, columns, result.base + matrix * size)
    }
    return Tensor(shape: shape, storage: result)
  }

  /// `[A, B, C]` → `[B, A, C]`.
  func exchangingOuterAxes() -> Tensor {
    let (a, b, c) = (shape[0], shape[1], shape[2])
    let result = Storage(count: shape.scalarCount)
    for index in 0..<a {
      unsafe lvae_copy_strided(
        storage.base + index * b * c, c, result.base + index * c, a * c, c, b)
    }
    return Tensor(shape: [b, a, c], storage: result)
  }

  /// The columns in `range` of each row of `columns` numbers.
  func takingColumns(_ range: Range<Int>, of columns: Int, to shape: Shape) -> Tensor {
    let rows = self.shape.scalarCount / max(columns, 1)
    let result = Storage(count: rows * range.count)
    inBlocks(rows: rows, of: columns) { first, count in
      unsafe lvae_copy_strided(
        storage.base + first * columns + range.lowerBound, columns,
        result.base + first * range.count, range.count, range.count, count)
    }
    return Tensor(shape: shape, storage: result)
  }

  /// Zeros, and self's rows of `range.count` numbers in columns `range`.
  func placingColumns(_ range: Range<Int>, of columns: Int, to shape: Shape) -> Tensor {
    let rows = self.shape.scalarCount / max(range.count, 1)
    let result = Storage(count: rows * columns, zeroed: true)
    inBlocks(rows: rows, of: columns) { first, count in
      unsafe lvae_copy_strided(
        storage.base + first * range.count, range.count,
        result.base + first * columns + range.lowerBound, columns, range.count, count)
    }
    return Tensor(shape: shape, storage: result)
  }

  /// Rows of several tensors side by side, as wide as `columns` says.
  static func joiningColumns(_ parts: [(tensor: Tensor, columns: Int)], to shape: Shape) -> Tensor {
    let total = parts.reduce(0) { $0 + $1.columns }
    let rows = shape.scalarCount / max(total, 1)
    let result = Storage(count: shape.scalarCount)
    var offset = 0
    for (tensor, columns) in parts {
      tensor.inBlocks(rows: rows, of: columns) { first, count in
        unsafe lvae_copy_strided(
          tensor.storage.base + first * columns, columns,
          result.base + first * total + offset, total, columns, count)
      }
      offset += columns
    }
    return Tensor(shape: shape, storage: result)
  }

  /// The rows with these indices, of `columns` numbers each.
  func takingRows(_ indices: [Int], of columns: Int, to shape: Shape) -> Tensor {
    let result = Storage(count: indices.count * columns)
    inBlocks(rows: indices.count, of: columns) { first, count in
      for row in first..<first + count {
        unsafe (result.base + row * columns).update(
          from: storage.base + indices[row] * columns, count: columns)
      }
    }
    return Tensor(shape: shape, storage: result)
  }

  /// Zeros, and each row of `columns` numbers added to the row with its index, in order.
  func addingRows(at indices: [Int], of columns: Int, to shape: Shape) -> Tensor {
    let result = Storage(count: shape.scalarCount, zeroed: true)
    for (row, index) in indices.enumerated() {
      let target = unsafe result.base + index * columns
      unsafe lvae_add(target, storage.base + row * columns, target, columns)
    }
    return Tensor(shape: shape, storage: result)
  }

  /// `[N, H, W, C]` → `[N, H/f, W/f, f²·C]`: the rows of each square one behind the other.
  func gatheringSquares(of factor: Int) -> Tensor {
    let (run, columns) = (factor * shape[3], shape[2] / factor)
    let result = Storage(count: shape.scalarCount)
    inBlocks(rows: shape[0] * shape[1] / factor, of: factor * shape[2] * shape[3]) { first, count in
      for line in first * factor..<(first + count) * factor {
        let (row, y) = line.quotientAndRemainder(dividingBy: factor)
        unsafe lvae_copy_strided(
          storage.base + line * columns * run, run,
          result.base + (row * columns * factor + y) * run, factor * run, run, columns)
      }
    }
    return Tensor(
      shape: [shape[0], shape[1] / factor, columns, factor * run], storage: result)
  }

  /// `[N, h, w, f²·C]` → `[N, f·h, f·w, C]`, the inverse of ``gatheringSquares(of:)``.
  func spreadingSquares(of factor: Int) -> Tensor {
    let (run, columns) = (shape[3] / factor, shape[2])
    let result = Storage(count: shape.scalarCount)
    inBlocks(rows: shape[0] * shape[1], of: shape[2] * shape[3]) { first, count in
      for line in first * factor..<(first + count) * factor {
        let (row, y) = line.quotientAndRemainder(dividingBy: factor)
        unsafe lvae_copy_strided(
          storage.base + (row * columns * factor + y) * run, factor * run,
          result.base + line * columns * run, run, run, columns)
      }
    }
    return Tensor(
      shape: [shape[0], factor * shape[1], factor * columns, run / factor], storage: result)
  }

  private func inBlocks(rows: Int, of columns: Int, _ body: (_ first: Int, _ count: Int) -> Void) {
    let block = max(1, chunk / max(columns, 1))
    ThreadPool.current.run(count: (rows + block - 1) / block) { index, _ in
      body(index * block, min(block, rows - index * block))
    }
  }
}
