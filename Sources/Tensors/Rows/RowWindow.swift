/// How many bytes line buffers hold, and held at most.
///
/// A dry ledger counts without anything being allocated or computed: a plan is made by running the
/// real stages on it.
package final class RowLedger {
  /// Whether windows only count.
  package let isDry: Bool
  /// Bytes held now.
  package private(set) var current = 0
  /// The most bytes held at once.
  package private(set) var peak = 0
  private var knownWeights: [ObjectIdentifier: WeakWeights] = [:]

  private struct WeakWeights {
    weak var weights: PackedRowWeights?
  }

  package init(isDry: Bool = false) {
    self.isDry = isDry
  }

  /// Adds bytes, which are held until ``give(_:)``.
  package func take(_ byteCount: Int) {
    current += byteCount
    peak = max(peak, current)
  }

  /// Counts bytes that are held now and then given back.
  package func note(_ byteCount: Int) {
    peak = max(peak, current + byteCount)
  }

  /// The packed weights of a convolution, which all its stages share; `make` makes them.
  package func weights(
    of convolution: RowConvolution, make: () -> PackedRowWeights
  ) -> PackedRowWeights {
    let key = ObjectIdentifier(convolution.weight.storage)
    if let known = knownWeights[key]?.weights { return known }
    let made = make()
    knownWeights[key] = WeakWeights(weights: made)
    return made
  }

  /// Takes bytes off again.
  package func give(_ byteCount: Int) {
    current -= byteCount
  }
}

/// Some consecutive rows of a feature map `[H, W, C]`, in memory: a line buffer, which is filled at
/// the bottom and emptied at the top.
package final class RowWindow {
  /// W.
  package let width: Int
  /// C.
  package let channels: Int
  /// The rows that are here, by their number in the whole map.
  package private(set) var rows = 0..<0
  package let ledger: RowLedger

  private var storage: Storage?
  /// In rows: of the storage, and above the first row that is here.
  private var capacity = 0
  private var offset = 0

  /// A window without rows, above the first.
  package init(width: Int, channels: Int, ledger: RowLedger) {
    self.width = width
    self.channels = channels
    self.ledger = ledger
  }

  deinit {
    ledger.give(capacity * rowByteCount)
  }

  /// Scalars of a row.
  package var rowCount: Int { width * channels }
  package var rowByteCount: Int { rowCount * MemoryLayout<Float>.stride }

  /// Makes room for so many rows in all.
  package func reserve(_ count: Int) {
    if offset + rows.count < count, capacity < count { move(toCapacity: count) }
  }

  /// All rows, `[1, H, W, C]`, without a copy: the window mustn't change while it is used.
  ///
  /// - Precondition: none was discarded, and the ledger isn't dry.
  package var wholeTensor: Tensor {
    guard let storage, rows.lowerBound == 0, offset == 0 else {
      preconditionFailure("rows \(rows) where all are needed")
    }
    return Tensor(shape: [1, rows.count, width, channels], storage: storage)
  }

  /// Adds `count` rows, all of which `write` fills.
  ///
  /// It isn't called in a dry run.
  package func append(
    _ count: Int, writing write: (UnsafeMutablePointer<Float>) throws -> Void
  ) rethrows {
    if offset + rows.count + count > capacity { move(toCapacity: rows.count + count) }
    if !ledger.isDry, let storage {
      try unsafe write(storage.base + (offset + rows.count) * rowCount)
    }
    rows = rows.lowerBound..<rows.upperBound + count
  }

  /// Counts `count` more rows.
  ///
  /// - Precondition: the ledger is dry.
  package func appendDry(_ count: Int) {
    precondition(ledger.isDry, "rows without numbers")
    unsafe append(count) { _ in }
  }

  /// Adds rows of `[1, H, W, C]`; all of them, unless `rows` says which.
  package func append(_ tensor: Tensor, rows range: Range<Int>? = nil) {
    let range = range ?? 0..<tensor.shape[1]
    precondition(
      tensor.shape[0] == 1 && tensor.shape[2] == width && tensor.shape[3] == channels
        && range.upperBound <= tensor.shape[1],
      "rows \(range) of \(tensor.shape) for \(width) × \(channels)")
    unsafe append(range.count) { target in
      unsafe target.update(
        from: tensor.storage.base + range.lowerBound * rowCount, count: range.count * rowCount)
    }
  }

  /// Adds the next `count` rows, joined of columns of other windows, which hold those rows.
  package func append(_ count: Int, joining parts: [(window: RowWindow, columns: Range<Int>)]) {
    let added = rows.upperBound..<rows.upperBound + count
    precondition(
      parts.reduce(0) { $0 + $1.columns.count } == width
        && parts.allSatisfy { $0.window.channels == channels },
      "columns for \(width) × \(channels)")
    unsafe append(count) { target in
      ThreadPool.current.run(count: count) { index, _ in
        var place = unsafe target + index * rowCount
        for part in parts {
          let scalarCount = part.columns.count * channels
          let source = unsafe part.window.pointer(toRow: added.lowerBound + index)
          unsafe place.update(from: source + part.columns.lowerBound * channels, count: scalarCount)
          unsafe place += scalarCount
        }
      }
    }
  }

  /// Drops the rows above `row`; the memory of many is given back.
  package func discard(before row: Int) {
    let first = min(max(row, rows.lowerBound), rows.upperBound)
    offset += first - rows.lowerBound
    rows = first..<rows.upperBound
    // Line buffers are small between bands.
    if 4 * rows.count <= 3 * capacity { move(toCapacity: rows.count) }
  }

  private func move(toCapacity capacity: Int) {
    if capacity == self.capacity {
      if let storage, offset > 0 {
        unsafe storage.base.update(
          from: storage.base + offset * rowCount, count: rows.count * rowCount)
      }
      offset = 0
      return
    }
    ledger.take(capacity * rowByteCount)
    if !ledger.isDry {
      let target = capacity == 0 ? nil : Storage(count: capacity * rowCount)
      if let target, let storage {
        let (offset, rowCount) = (offset, rowCount)
        ThreadPool.current.run(count: rows.count) { row, _ in
          unsafe (target.base + row * rowCount).update(
            from: storage.base + (offset + row) * rowCount, count: rowCount)
        }
      }
      storage = target
    }
    ledger.give(self.capacity * rowByteCount)
    self.capacity = capacity
    offset = 0
  }

  /// Where a row lies; the pointer is valid until the window changes.
  ///
  /// - Precondition: the row is here.
  func pointer(toRow row: Int) -> UnsafeMutablePointer<Float> {
    guard let storage, rows.contains(row) else {
      preconditionFailure("row \(row) of \(rows)")
    }
    return unsafe storage.base + (offset + row - rows.lowerBound) * rowCount
  }

  /// A copy of some rows, `[1, rows, W, C]`.
  ///
  /// - Precondition: they are here, and the ledger isn't dry.
  package func tensor(_ range: Range<Int>) -> Tensor {
    unsafe withUnsafeScalars(of: range) { source in
      unsafe Tensor(shape: [1, range.count, width, channels]) { target in
        _ = unsafe target.update(fromContentsOf: source)
      }
    }
  }

  /// Calls `body` with the scalars of some rows, which it may read and write.
  package func withUnsafeScalars<Result>(
    of range: Range<Int>, _ body: (UnsafeMutableBufferPointer<Float>) throws -> Result
  ) rethrows -> Result {
    precondition(
      !range.isEmpty && range.lowerBound >= rows.lowerBound && range.upperBound <= rows.upperBound,
      "rows \(range) of \(rows)")
    return try unsafe body(
      UnsafeMutableBufferPointer(
        start: pointer(toRow: range.lowerBound), count: range.count * rowCount))
  }
}
