/// As many samples as pictures of each half of the real ones: distances between equal counts, which can
/// be compared, since Fréchet's distance grows where pictures are few.
package struct EqualCounts {
  /// How many each set has.
  package let count: Int
  /// The places of the samples.
  package let samples: [Int]
  /// The places of the real pictures, in two halves that have nothing in common.
  package let halves: [[Int]]

  /// Places so that each set has all classes in the shares that they have in the whole.
  ///
  /// - Parameters:
  ///   - samples: How many samples there are, and their labels, where these are known.
  ///   - real: The same of the real pictures.
  package init(samples: (count: Int, labels: [Int]?), real: (count: Int, labels: [Int]?)) {
    let order = Self.order(real)
    let halves = [0, 1].map { half in
      stride(from: half, to: order.count, by: 2).map { order[$0] }
    }
    let count = min(samples.count, halves[1].count)
    self.count = count
    self.samples = Self.some(count, of: Self.order(samples))
    self.halves = halves.map { Self.some(count, of: $0) }
  }

  /// All places, class by class, and else as they are.
  private static func order(_ set: (count: Int, labels: [Int]?)) -> [Int] {
    guard let labels = set.labels else { return Array(0..<set.count) }
    return labels.indices.sorted { (labels[$0], $0) < (labels[$1], $1) }
  }

  /// So many of some places, spread evenly over them.
  private static func some(_ count: Int, of places: [Int]) -> [Int] {
    (0..<count).map { places[$0 * places.count / count] }
  }
}
