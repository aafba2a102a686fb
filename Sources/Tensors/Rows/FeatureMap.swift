/// Where feature maps are kept between two sweeps over them: in memory as far as that is allowed,
/// then in a temporary file.
package final class MapStore {
  package let ledger: RowLedger
  /// The bytes that maps may take in memory.
  private let limit: Int
  private let folder: String?
  private var kept = 0
  private var file: SpillFile?
  private var freeSlots: [Int] = []
  private var slotCount = 0

  /// Floats of a slot of the file: several rows of all but huge maps.
  private let slotCapacity: Int

  /// A store without maps yet.
  ///
  /// - Parameters:
  ///   - limit: The bytes that maps may take in memory.
  ///   - largestRow: The most scalars that a row of any map has.
  ///   - folder: Where the temporary file lies; see ``SpillFile``.
  ///   - ledger: Told of what is in memory.
  package init(limit: Int, largestRow: Int, folder: String? = nil, ledger: RowLedger) {
    self.limit = limit
    self.folder = folder
    self.ledger = ledger
    slotCapacity = max(largestRow, 1 << 21)
  }

  /// The bytes of the file at its largest.
  package var spilledByteCount: Int { slotCount * slotCapacity * MemoryLayout<Float>.stride }

  fileprivate func rowsOfChunk(rowCount: Int) -> Int { max(slotCapacity / rowCount, 1) }

  fileprivate func take(_ scalarCount: Int) throws(SpillError) -> MapChunk {
    let byteCount = scalarCount * MemoryLayout<Float>.stride
    if kept + byteCount <= limit {
      kept += byteCount
      ledger.take(byteCount)
      return ledger.isDry ? .counted(byteCount) : .memory(Storage(count: scalarCount))
    }
    if file == nil, !ledger.isDry { file = try SpillFile(in: folder) }
    if let slot = freeSlots.popLast() { return .slot(slot) }
    slotCount += 1
    return .slot(slotCount - 1)
  }

  fileprivate func give(_ chunk: MapChunk) {
    var byteCount = 0
    switch chunk {
    case .memory(let storage): byteCount = storage.count * MemoryLayout<Float>.stride
    case .counted(let count): byteCount = count
    case .slot(let slot): freeSlots.append(slot)
    }
    kept -= byteCount
    ledger.give(byteCount)
  }

  fileprivate func write(
    _ source: UnsafePointer<Float>, count: Int, to slot: Int, at offset: Int
  ) throws(SpillError) {
    try unsafe file?.write(
      UnsafeBufferPointer(start: source, count: count), at: slot * slotCapacity + offset)
  }

  fileprivate func read(
    _ target: UnsafeMutablePointer<Float>, count: Int, from slot: Int, at offset: Int
  ) throws(SpillError) {
    try unsafe file?.read(
      into: UnsafeMutableBufferPointer(start: target, count: count),
      at: slot * slotCapacity + offset)
  }
}

private enum MapChunk {
  case memory(Storage)
  /// Memory that a dry run doesn't take.
  case counted(Int)
  case slot(Int)
}

/// A whole feature map `[H, W, C]` between two sweeps over its rows, with the statistics that its
/// group normalisation needs.
package final class FeatureMap {
  package let height, width, channels: Int
  private let store: MapStore
  private let statistics: RowStatistics
  private let rowsOfChunk: Int
  private var chunks: [MapChunk?] = []
  private var rowCount = 0
  private var firstChunk = 0

  /// A map without rows yet.
  package init(height: Int, width: Int, channels: Int, groups: Int, in store: MapStore) {
    self.height = height
    self.width = width
    self.channels = channels
    self.store = store
    statistics = RowStatistics(channels: channels, groups: groups, pixels: height * width)
    rowsOfChunk = store.rowsOfChunk(rowCount: width * channels)
    store.ledger.take(statistics.byteCount)
  }

  deinit {
    store.ledger.give(statistics.byteCount)
    for chunk in chunks { if let chunk { store.give(chunk) } }
  }

  /// Adds some rows of a window, which are the next ones.
  ///
  /// - Throws: ``SpillError``.
  package func append(_ rows: Range<Int>, of window: RowWindow) throws(SpillError) {
    precondition(rows.lowerBound == rowCount, "rows \(rows) behind \(rowCount)")
    for part in parts(of: rows) {
      let first = part.lowerBound % rowsOfChunk
      if first == 0 {
        let count = min(rowsOfChunk, height - part.lowerBound)
        chunks.append(try store.take(count * window.rowCount))
      }
      if store.ledger.isDry { continue }
      let source = unsafe UnsafePointer(window.pointer(toRow: part.lowerBound))
      let count = part.count * window.rowCount
      unsafe statistics.add(source, count: count)
      switch chunks[part.lowerBound / rowsOfChunk] {
      case .memory(let storage):
        unsafe (storage.base + first * window.rowCount).update(from: source, count: count)
      case .slot(let slot):
        try unsafe store.write(source, count: count, to: slot, at: first * window.rowCount)
      case .counted, nil: break
      }
    }
    rowCount = rows.upperBound
  }

  /// Adds some of the map's rows to a window, normalised if it is said how.
  ///
  /// - Throws: ``SpillError``.
  package func read(
    _ rows: Range<Int>, into window: RowWindow, normalizedBy normalization: RowNormalization? = nil
  ) throws(SpillError) {
    for part in parts(of: rows) {
      let first = part.lowerBound % rowsOfChunk * window.rowCount
      let count = part.count * window.rowCount
      let chunk = chunks[part.lowerBound / rowsOfChunk]
      do {
        try unsafe window.append(part.count) { target in
          switch chunk {
          case .memory(let storage):
            if let normalization {
              unsafe normalization.apply(storage.base + first, to: target, scalarCount: count)
            } else {
              unsafe target.update(from: storage.base + first, count: count)
            }
          case .slot(let slot):
            try unsafe store.read(target, count: count, from: slot, at: first)
            unsafe normalization?.apply(target, to: target, scalarCount: count)
          case .counted, nil: preconditionFailure("row \(part.lowerBound) was given away")
          }
        }
      } catch let error as SpillError {
        throw error
      } catch {
        preconditionFailure("\(error)")
      }
    }
  }

  /// Gives away the rows above `row`, which won't be read again.
  package func discard(before row: Int) {
    let end = row == height ? chunks.count : row / rowsOfChunk
    while firstChunk < end {
      if let chunk = chunks[firstChunk] { store.give(chunk) }
      chunks[firstChunk] = nil
      firstChunk += 1
    }
  }

  /// What a normalisation does to the map, all of whose rows are there.
  package func normalization(_ normalization: GroupNormalization) -> RowNormalization {
    store.ledger.isDry
      ? statistics.noNormalization : statistics.scaleShift(normalization)
  }

  /// The parts of a range of rows that lie in one chunk each.
  private func parts(of rows: Range<Int>) -> [Range<Int>] {
    var parts: [Range<Int>] = []
    var first = rows.lowerBound
    while first < rows.upperBound {
      let end = min((first / rowsOfChunk + 1) * rowsOfChunk, rows.upperBound)
      parts.append(first..<end)
      first = end
    }
    return parts
  }
}
