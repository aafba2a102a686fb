import Images
import Tensors
import TestSupport
import Testing
import Training

/// The search by blocks of matrix products against one distance after the other.
@Suite struct NearestPicturesTests {
  private func vectors(
    _ count: Int, dimension: Int, seed: UInt64, around offset: Float, scale: Float
  ) -> FeatureVectors {
    var random = PhiloxRandomSource(seed: seed)
    let numbers = Tensor.randomNormal(shape: [count, dimension], using: &random).scalars
    return FeatureVectors(numbers.map { Double(offset + scale * $0) }, dimension: dimension)
  }

  private struct Found: Equatable {
    let place: Int
    let distance: Double

    init(place: Int, distance: Double) { (self.place, self.distance) = (place, distance) }

    init(_ neighbour: NearestPictures.Neighbour) {
      self.init(place: neighbour.place, distance: neighbour.distance)
    }
  }

  private func directly(
    _ features: FeatureVectors, _ others: FeatureVectors, skipping isSkipped: (Int, Int) -> Bool
  ) -> [Found?] {
    let size = features.dimension
    return (0..<features.count).map { index in
      var best: (place: Int, sum: Double)?
      for place in 0..<others.count where !isSkipped(index, place) {
        var sum = 0.0
        for number in 0..<size {
          let difference =
            features.values[index * size + number] - others.values[place * size + number]
          sum += difference * difference
        }
        if sum < best?.sum ?? .infinity { best = (place, sum) }
      }
      return best.map { Found(place: $0.place, distance: $0.sum.squareRoot()) }
    }
  }

  /// Far from zero, what single precision leaves of small distances is nothing but errors.
  @Test(arguments: [(Float(0), Float(1)), (1000, 1), (1e6, 0.25), (0, 1e-21), (0, 1e25), (3, 0)])
  func featuresAreFoundAsOneByOne(_ offset: Float, _ scale: Float) {
    // More than a block of each.
    let features = vectors(1100, dimension: 6, seed: 1, around: offset, scale: scale)
    let others = vectors(2100, dimension: 6, seed: 2, around: offset, scale: scale)
    let isSkipped = { (index: Int, place: Int) in (index + place).isMultiple(of: 5) }
    let found = NearestPictures.byFeatures(of: features, among: others, skipping: isSkipped)
    #expect(found.map { $0.map { Found($0) } } == directly(features, others, skipping: isSkipped))
  }

  @Test func theFirstOfEqualsIsTheNearest() {
    let some = vectors(40, dimension: 3, seed: 5, around: 0, scale: 1)
    let others = FeatureVectors(Array([some, some, some].map(\.values).joined()), dimension: 3)
    let found = NearestPictures.byFeatures(of: some, among: others) { $0 == $1 }
    #expect(found.map { $0?.place } == Array(40..<80))
    #expect(found.allSatisfy { $0?.distance == 0 })
  }

  @Test func picturesAreFoundAsOneByOne() {
    func pictures(_ count: Int, seed: UInt64) -> [Image] {
      (0..<count).map { samplePicture(8, 8, seed: seed + UInt64($0)) }
    }
    let (squares, others) = (pictures(30, seed: 1), pictures(1100, seed: 500))
    let isSkipped = { (index: Int, place: Int) in place == 7 * index }
    func vectors(_ images: [Image]) -> FeatureVectors {
      FeatureVectors(
        images.flatMap { image -> [Double] in
          guard case .eightBit(let samples) = image.eightBit().samples else { return [] }
          return samples.map { Double($0) / Double(samples.count).squareRoot() }
        }, dimension: 8 * 8 * 3)
    }
    let found = NearestPictures.byPixels(of: squares, among: others, skipping: isSkipped)
    let expected = directly(vectors(squares), vectors(others), skipping: isSkipped)
    #expect(found.map { $0?.place } == expected.map { $0?.place })
    for (left, right) in zip(found, expected) {
      #expect(abs((left?.distance ?? -1) - (right?.distance ?? -2)) < 1e-9)
    }
  }

  @Test func threadsDoNotMatter() {
    let features = vectors(300, dimension: 5, seed: 8, around: 2, scale: 1)
    let results = [1, 3].map { count in
      ThreadPool.$current.withValue(ThreadPool(threadCount: count)) {
        NearestPictures.byFeatures(of: features, among: features) { $0 == $1 }
      }
    }
    #expect(results[0] == results[1])
  }
}
