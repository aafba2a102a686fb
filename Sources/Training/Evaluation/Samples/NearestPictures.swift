public import Images
import Tensors

/// The nearest of other pictures to each of some pictures.
public enum NearestPictures {
  /// A picture and how far it is.
  public struct Neighbour: Hashable, Sendable {
    /// Its place among the others.
    public let place: Int
    /// How far it is: see the functions that find it.
    public let distance: Double
  }

  /// By pixels: the root of the mean square difference over red, green and blue, in levels, 0…255.
  ///
  /// - Parameters:
  ///   - squares: pictures of one size, in colour and 8 bits.
  ///   - others: among which the nearest are looked for, of the same size; the first of equals.
  ///   - isSkipped: says for places in both which pairs don't count.
  /// - Returns: one for each picture; nil where no pair counts.
  public static func byPixels(
    of squares: [Image], among others: [Image], skipping isSkipped: (Int, Int) -> Bool
  ) -> [Neighbour?] {
    let stored = others.map(\.eightBitSamples)
    return ThreadPool.current.results(count: squares.count) { index in
      let samples = squares[index].eightBitSamples
      var best: (place: Int, sum: Int)?
      for place in stored.indices where !isSkipped(index, place) {
        let (limit, other) = (best?.sum ?? Int.max, stored[place])
        if let sum = squaredDifference(samples.span, other.span, below: limit) {
          best = (place, sum)
        }
      }
      return best.map {
        Neighbour(
          place: $0.place, distance: (Double($0.sum) / Double(samples.count)).squareRoot())
      }
    }
  }

  /// The sum of squared differences if it is below a limit, else nil.
  private static func squaredDifference(
    _ left: Span<UInt8>, _ right: Span<UInt8>, below limit: Int
  ) -> Int? {
    precondition(left.count == right.count, "pictures of \(left.count) and \(right.count) samples")
    var (sum, start) = (0, 0)
    while start < left.count {
      let end = min(left.count, start + 1024)
      var part: Int32 = 0
      for index in start..<end {
        let difference = Int32(left[index]) &- Int32(right[index])
        part &+= difference &* difference
      }
      sum += Int(part)
      if sum >= limit { return nil }
      start = end
    }
    return sum
  }

  /// By features: their Euclidean distance.
  ///
  /// - Parameters:
  ///   - features: of the pictures.
  ///   - others: of those among which the nearest are looked for; the first of equals.
  ///   - isSkipped: says for places in both which pairs don't count.
  /// - Returns: one for each picture; nil where no pair counts.
  public static func byFeatures(
    of features: FeatureVectors, among others: FeatureVectors,
    skipping isSkipped: (Int, Int) -> Bool
  ) -> [Neighbour?] {
    let size = features.dimension
    precondition(others.dimension == size, "\(size) and \(others.dimension) features")
    return ThreadPool.current.results(count: features.count) { index in
      let own = features.values.span.extracting(index * size..<(index + 1) * size)
      var best: (place: Int, sum: Double)?
      for place in 0..<others.count where !isSkipped(index, place) {
        let other = others.values.span.extracting(place * size..<(place + 1) * size)
        var sum = 0.0
        for number in 0..<size {
          sum += (own[number] - other[number]) * (own[number] - other[number])
        }
        if sum < best?.sum ?? .infinity { best = (place, sum) }
      }
      return best.map { Neighbour(place: $0.place, distance: $0.sum.squareRoot()) }
    }
  }
}
