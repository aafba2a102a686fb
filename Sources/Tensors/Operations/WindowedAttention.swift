extension Tensor {
  /// Attention in which each place of a map sees those around it only, with self as the queries.
  ///
  /// The map is cut into blocks of half a window's height and width. All places of a block see the
  /// window around the block, which is moved inwards at the map's edges. So the cost grows with the
  /// pixels, not with their square; a map of at most a window is computed exactly. Blocked local
  /// attention with a halo, as in Vaswani et al. 2021, arXiv:2103.12731.
  ///
  /// - Parameters:
  ///   - keys: `[N, H, W, C]`.
  ///   - values: `[N, H, W, C]`.
  ///   - heads: into how many the channels are divided.
  ///   - window: its height and width, even.
  ///   - firstRow: where self's rows stand in the map.
  /// - Returns: `[N, h, W, C]`, as self, whose rows are some of the map's.
  /// - Precondition: the shapes agree, and nothing records gradients.
  package func windowedAttention(
    keys: Tensor, values: Tensor, heads: Int, window: Int, firstRow: Int = 0
  ) -> Tensor {
    let (height, width) = (keys.shape[1], keys.shape[2])
    precondition(
      values.shape == keys.shape && shape[0] == keys.shape[0] && shape[2] == width
        && shape[3] == keys.shape[3] && firstRow + shape[1] <= height,
      "queries \(shape) from row \(firstRow), keys \(keys.shape), values \(values.shape)")
    precondition(window >= 2 && window % 2 == 0, "a window of \(window) places")
    precondition(
      !GradientRecording.isOn(node, keys.node, values.node), "attention in windows isn't trained")
    var result = Tensor(zeros: shape)
    for rows in AttentionBlocks(window: window, extent: height, firstRow..<firstRow + shape[1]) {
      for columns in AttentionBlocks(window: window, extent: width, 0..<width) {
        let place = (
          rows: rows.queries.lowerBound - firstRow..<rows.queries.upperBound - firstRow,
          columns: columns.queries
        )
        let attended = region(rows: place.rows, columns: place.columns).flattened.attention(
          keys: keys.region(rows: rows.keys, columns: columns.keys).flattened,
          values: values.region(rows: rows.keys, columns: columns.keys).flattened, heads: heads)
        result.replaceRegion(rows: place.rows, columns: place.columns, with: attended)
      }
    }
    return result
  }

  /// `[N, H, W, C]` as `[N, H·W, C]`.
  private var flattened: Tensor {
    reshaped(to: [shape[0], shape[1] * shape[2], shape[3]])
  }

  /// A copy of some rows and columns of a map.
  private func region(rows: Range<Int>, columns: Range<Int>) -> Tensor {
    let result = Storage(count: shape[0] * rows.count * columns.count * shape[3])
    forEachRow(of: rows, columns) { place, index, count in
      unsafe (result.base + index).update(from: storage.base + place, count: count)
    }
    return Tensor(shape: [shape[0], rows.count, columns.count, shape[3]], storage: result)
  }

  /// Writes some rows and columns of a map; `part` has their numbers in order.
  private mutating func replaceRegion(
    rows: Range<Int>, columns: Range<Int>, with part: Tensor
  ) {
    forEachRow(of: rows, columns) { place, index, count in
      unsafe (storage.base + place).update(from: part.storage.base + index, count: count)
    }
  }

  /// Calls `body` for each row of a region: where its numbers begin in the map, and where in the region
  /// alone, and how many there are.
  private func forEachRow(
    of rows: Range<Int>, _ columns: Range<Int>,
    _ body: (_ place: Int, _ index: Int, _ count: Int) -> Void
  ) {
    let (width, channels) = (shape[2], shape[3])
    let count = columns.count * channels
    for image in 0..<shape[0] {
      for (index, row) in rows.enumerated() {
        body(
          ((image * shape[1] + row) * width + columns.lowerBound) * channels,
          (image * rows.count + index) * count, count)
      }
    }
  }
}

/// The blocks of queries along one axis, and the keys that each sees.
private struct AttentionBlocks: Sequence, IteratorProtocol {
  let window, extent: Int
  private var rest: Range<Int>

  /// Those of the queries in `range`, of a map of this extent.
  init(window: Int, extent: Int, _ range: Range<Int>) {
    (self.window, self.extent) = (window, extent)
    rest = range
  }

  mutating func next() -> (queries: Range<Int>, keys: Range<Int>)? {
    guard !rest.isEmpty else { return nil }
    let side = window / 2
    let block = rest.lowerBound / side
    let queries = rest.lowerBound..<Swift.min((block + 1) * side, rest.upperBound)
    rest = queries.upperBound..<rest.upperBound
    let first = Swift.max(Swift.min(block * side - side / 2, extent - window), 0)
    return (queries, first..<Swift.min(first + window, extent))
  }
}
