import Tensors
import TestSupport
import Testing

@Suite struct WindowedAttentionTests {
  private let heads = 2

  private func map(_ shape: Shape, seed: UInt64) -> Tensor {
    sampleTensor(shape, seed: seed).affine(scale: 3, offset: 0)
  }

  /// Some rows and columns of `[1, H, W, C]`, as `[1, h·w, C]`.
  private func part(_ map: Tensor, _ rows: Range<Int>, _ columns: Range<Int>) -> Tensor {
    let (width, channels) = (map.shape[2], map.shape[3])
    let scalars = map.scalars
    let numbers = rows.flatMap { row in
      scalars[
        (row * width + columns.lowerBound) * channels..<(row * width + columns.upperBound)
          * channels]
    }
    return Tensor(numbers, shape: [1, rows.count * columns.count, channels])
  }

  @Test(arguments: [[2, 6, 8, 4], [1, 3, 2, 8], [1, 1, 8, 2]])
  func aMapOfAWindowIsExact(_ shape: [Int]) {
    let (q, k, v) = (
      map(Shape(shape), seed: 1), map(Shape(shape), seed: 2), map(Shape(shape), seed: 3)
    )
    let flat: Shape = [shape[0], shape[1] * shape[2], shape[3]]
    let exact = q.reshaped(to: flat).attention(
      keys: k.reshaped(to: flat), values: v.reshaped(to: flat), heads: heads)
    let found = q.windowedAttention(keys: k, values: v, heads: heads, window: 8)
    // Blocks have other strides, and so another order of rounding.
    #expect(relativeError(found.scalars, exact.scalars) < 1e-6)
  }

  /// Blocks of 4 × 4, the windows around them, those at the edges, and what is left over there.
  @Test(arguments: [
    (0..<4, 0..<4, 0..<8, 0..<8), (4..<8, 8..<12, 2..<10, 6..<14),
    (8..<12, 20..<22, 6..<14, 14..<22),
    (12..<14, 16..<20, 6..<14, 14..<22),
  ])
  func aBlockSeesTheWindowAroundIt(
    _ rows: Range<Int>, _ columns: Range<Int>, _ seenRows: Range<Int>, _ seenColumns: Range<Int>
  ) {
    let shape: Shape = [1, 14, 22, 4]
    let (q, k, v) = (map(shape, seed: 1), map(shape, seed: 2), map(shape, seed: 3))
    let found = q.windowedAttention(keys: k, values: v, heads: heads, window: 8)
    let expected = part(q, rows, columns).attention(
      keys: part(k, seenRows, seenColumns), values: part(v, seenRows, seenColumns), heads: heads)
    #expect(
      relativeError(part(found, rows, columns).scalars, expected.scalars) < 1e-6)
  }

  @Test func bandsOfRowsGiveTheSame() {
    let shape: Shape = [1, 14, 11, 4]
    let (q, k, v) = (map(shape, seed: 1), map(shape, seed: 2), map(shape, seed: 3))
    let whole = q.windowedAttention(keys: k, values: v, heads: heads, window: 8).scalars
    var bands: [Float] = []
    for rows in [0..<3, 3..<5, 5..<13, 13..<14] {
      let band = part(q, rows, 0..<11).reshaped(to: [1, rows.count, 11, 4])
      bands +=
        band.windowedAttention(
          keys: k, values: v, heads: heads, window: 8, firstRow: rows.lowerBound
        ).scalars
    }
    #expect(relativeError(bands, whole) < 1e-6)
  }
}
