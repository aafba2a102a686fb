import Tensors

/// Which vectors may be the nearest to others, by matrix products in single precision: blocks of both
/// sets at a time, so that memory is bounded and most of the work is that of a product.
///
/// ‖a − b‖² = ‖a‖² + ‖b‖² − 2aᵀb, and a product of d numbers each is wrong by at most γ‖a‖‖b‖ with
/// γ = du/(1 − du), u = 2⁻²⁴ (Higham 2002, "Accuracy and Stability of Numerical Algorithms", equation
/// 3.5). What could be the nearest within that error is a candidate, so the nearest is always among
/// them; callers compute the distances of these few in full.
struct NearestCandidates {
  /// Vectors of which some are made at a time.
  struct Vectors {
    /// How many there are.
    let count: Int
    /// Writes the numbers of one at the end of an array.
    let append: (_ index: Int, _ numbers: inout [Float]) -> Void
  }

  /// How many numbers a vector has.
  let dimension: Int
  /// How many vectors of a set are in memory at once.
  private let blockCount: Int

  /// The most bytes that a block of vectors takes.
  private static var blockByteCount: Int { 24 << 20 }
  private static var mostBlockCount: Int { 1024 }

  /// A search among vectors of so many numbers.
  ///
  /// - Parameter dimension: How many numbers.
  init(dimension: Int) {
    self.dimension = dimension
    let fitting = Self.blockByteCount / max(1, dimension * MemoryLayout<Float>.stride)
    blockCount = min(Self.mostBlockCount, max(1, fitting))
  }

  /// The places among `others` that may be nearest to each of `vectors`, in rising order.
  ///
  /// - Parameters:
  ///   - vectors: The vectors.
  ///   - others: Those among which the nearest are looked for.
  ///   - isSkipped: Says for places in both which pairs don't count.
  /// - Returns: the places for each vector.
  func callAsFunction(
    of vectors: Vectors, among others: Vectors, skipping isSkipped: (Int, Int) -> Bool
  ) -> [[Int]] {
    var result: [[Int]] = []
    for start in stride(from: 0, to: vectors.count, by: blockCount) {
      let block = Block(vectors, start..<min(vectors.count, start + blockCount), dimension)
      var found = [Found](repeating: Found(), count: block.range.count)
      for start in stride(from: 0, to: others.count, by: blockCount) {
        let other = Block(others, start..<min(others.count, start + blockCount), dimension)
        let products = block.numbers.matrixProduct(other.numbers.transposed())
        found = ThreadPool.current.results(count: found.count) { row in
          found[row].taking(products, row: row, of: block, other, error, isSkipped)
        }
      }
      result += found.map(\.places)
    }
    return result
  }

  /// By how much a square of a distance is wrong at most: a part of ‖a‖² + ‖b‖², as for eight products
  /// more than there are, since numbers are rounded to single precision before; and what is lost of
  /// products that are too small for it.
  private var error: (part: Double, least: Double) {
    let count = Double(dimension + 8)
    return (
      count * 0x1p-24 / (1 - min(count * 0x1p-24, 0.5)),
      4 * count * Double(Float.leastNormalMagnitude)
    )
  }

  private struct Block {
    let range: Range<Int>
    /// `[count, dimension]`.
    let numbers: Tensor
    let squaredNorms: [Double]

    init(_ vectors: Vectors, _ range: Range<Int>, _ dimension: Int) {
      let rows = ThreadPool.current.results(count: range.count) { index in
        var numbers: [Float] = []
        numbers.reserveCapacity(dimension)
        vectors.append(range.lowerBound + index, &numbers)
        precondition(numbers.count == dimension, "\(numbers.count) numbers of \(dimension)")
        return (numbers, numbers.reduce(0.0) { $0 + Double($1) * Double($1) })
      }
      self.range = range
      numbers = Tensor(rows.flatMap(\.0), shape: [range.count, dimension])
      squaredNorms = rows.map(\.1)
    }
  }

  /// What may be nearest to one vector.
  private struct Found {
    private var candidates: [(place: Int, least: Double)] = []
    /// The nearest is no further than this, squared.
    private var most = Double.infinity

    var places: [Int] { candidates.filter { $0.least <= most }.map(\.place) }

    /// The same with another block of others.
    func taking(
      _ products: Tensor, row: Int, of block: Block, _ others: Block,
      _ error: (part: Double, least: Double), _ isSkipped: (Int, Int) -> Bool
    ) -> Found {
      var result = self
      let (index, norm) = (block.range.lowerBound + row, block.squaredNorms[row])
      let products = products.span.extracting(
        row * others.range.count..<(row + 1) * others.range.count)
      for column in products.indices {
        let sum = norm + others.squaredNorms[column]
        let distance = sum - 2 * Double(products[column])
        // Where a product is too large, nothing is known.
        let slack = distance.isFinite ? error.part * sum + error.least : .infinity
        let (least, place) = (
          slack.isFinite ? distance - slack : -.infinity, others.range.lowerBound + column
        )
        guard least <= result.most, !isSkipped(index, place) else { continue }
        result.candidates.append((place, least))
        if slack.isFinite { result.most = min(result.most, distance + slack) }
      }
      result.candidates.removeAll { $0.least > result.most }
      return result
    }
  }
}
