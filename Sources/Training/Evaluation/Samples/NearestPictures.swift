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
    let (own, stored) = (squares.map(\.eightBitSamples), others.map(\.eightBitSamples))
    let size = own.first?.count ?? 0
    func vectors(_ samples: [[UInt8]]) -> NearestCandidates.Vectors {
      // Around the middle level vectors are shorter, and products more exact.
      .init(count: samples.count) { index, numbers in
        for sample in samples[index] { numbers.append(Float(sample) - 128) }
      }
    }
    return nearest(
      of: vectors(own), among: vectors(stored), dimension: size, skipping: isSkipped
    ) { index, place in
      Double(squaredDifference(own[index], stored[place]))
    }.map { neighbour in
      neighbour.map {
        Neighbour(place: $0.place, distance: ($0.distance / Double(size)).squareRoot())
      }
    }
  }

  private static func squaredDifference(_ one: [UInt8], _ other: [UInt8]) -> Int {
    let left = one.span
    let right = other.span
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
    func vectors(_ features: FeatureVectors) -> NearestCandidates.Vectors {
      .init(count: features.count) { index, numbers in
        for value in features.values[index * size..<(index + 1) * size] {
          numbers.append(Float(value))
        }
      }
    }
    return nearest(
      of: vectors(features), among: vectors(others), dimension: size, skipping: isSkipped
    ) { index, place in
      let own = features.values.span.extracting(index * size..<(index + 1) * size)
      let other = others.values.span.extracting(place * size..<(place + 1) * size)
      var sum = 0.0
      for number in 0..<size {
        sum += (own[number] - other[number]) * (own[number] - other[number])
      }
      return sum
    }.map { neighbour in
      neighbour.map { Neighbour(place: $0.place, distance: $0.distance.squareRoot()) }
    }
  }

  /// The nearest of the candidates by a distance, the first of equals.
  private static func nearest(
    of vectors: NearestCandidates.Vectors, among others: NearestCandidates.Vectors, dimension: Int,
    skipping isSkipped: (Int, Int) -> Bool, distance: (_ index: Int, _ place: Int) -> Double
  ) -> [Neighbour?] {
    let candidates = NearestCandidates(dimension: dimension)(
      of: vectors, among: others, skipping: isSkipped)
    return ThreadPool.current.results(count: candidates.count) { index in
      var best: Neighbour?
      for place in candidates[index] {
        let distance = distance(index, place)
        if distance < best?.distance ?? .infinity {
          best = Neighbour(place: place, distance: distance)
        }
      }
      return best
    }
  }
}
