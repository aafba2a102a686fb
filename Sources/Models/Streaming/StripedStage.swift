import Tensors

/// Stages of a wide map, computed in strips of columns, so that bands of many rows are small.
///
/// Each strip has some more columns on both sides than it gives. There the convolutions see zeros
/// beyond the strip's edge, where the map has pixels: what that falsifies is cut off.
final class StripedStage: RowStage {
  let height: Int
  let output: RowWindow
  private let source: any RowStage
  private let strips: [Strip]

  private struct Strip {
    /// The columns of the input, which are copied.
    let input: SourceStage
    /// The result, and which of its columns count.
    let stage: any RowStage
    let columns: Range<Int>
  }

  /// - Parameters:
  ///   - source: The input.
  ///   - width: About how many columns of it a strip has.
  ///   - halo: How many columns beside a strip its result depends on; even.
  ///   - stages: The stages behind some columns of the input.
  init(
    of source: any RowStage, width: Int, halo: Int,
    stages: (any RowStage) -> any RowStage
  ) {
    self.source = source
    (source as? ConvolutionStage)?.completesBands = true
    let ledger = source.output.ledger
    let count = max((source.width + width / 2) / width, 1)
    // Even columns, so that a convolution of stride 2 takes the same pixels as without strips.
    let edges = (0...count).map { $0 == count ? source.width : source.width * $0 / count / 2 * 2 }
    strips = (0..<count).map { index in
      let (first, end) = (edges[index], edges[index + 1])
      let columns = max(first - halo, 0)..<min(end + halo, source.width)
      let input = SourceStage(
        columns: columns, of: source)
      let stage = stages(input)
      func scaled(_ column: Int) -> Int { column * stage.width / input.width }
      return Strip(
        input: input, stage: stage,
        columns: scaled(first - columns.lowerBound)..<scaled(end - columns.lowerBound))
    }
    height = strips[0].stage.height
    output = RowWindow(
      width: strips.reduce(0) { $0 + $1.columns.count },
      channels: strips[0].stage.output.channels, ledger: ledger)
  }

  func advance(to end: Int) throws {
    let added = min(end, height) - output.rows.upperBound
    guard added > 0 else { return }
    let end = output.rows.upperBound + added
    for strip in strips { try strip.stage.advance(to: end) }
    output.append(added, joining: strips.map { ($0.stage.output, $0.columns) })
    for strip in strips { strip.stage.output.discard(before: end) }
    // All strips have taken these rows.
    let taken = strips.map(\.input.output.rows.upperBound).min() ?? 0
    source.output.discard(before: taken)
  }
}

extension SourceStage {
  /// Some columns of another stage's rows, which stay there.
  fileprivate convenience init(columns: Range<Int>, of source: any RowStage) {
    self.init(
      height: source.height, width: columns.count, channels: source.output.channels,
      ledger: source.output.ledger, dryRead: { rows in try source.advance(to: rows.upperBound) }
    ) { rows, window in
      try source.advance(to: rows.upperBound)
      window.append(rows.count, joining: [(source.output, columns)])
    }
  }
}
