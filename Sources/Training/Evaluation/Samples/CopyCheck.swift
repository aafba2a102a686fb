import Images

/// Whether samples are copies of training pictures.
///
/// A sample is called a copy if it is nearer to its nearest training picture than 99 % of the real
/// pictures are to theirs; with fewer than 100 real pictures, than all of them. Where a real picture
/// and a training picture are equal, pixel by pixel, the pair doesn't count: so the real pictures may
/// be the training pictures too, and each is then compared with all others.
public struct CopyCheck: Sendable {
  /// The check by one kind of distance.
  public struct Measure: Sendable {
    /// The nearest training picture of each sample.
    public let neighbours: [NearestPictures.Neighbour]
    /// How far the nearest training pictures of real pictures are, in rising order.
    public let realDistances: [Double]

    init(_ samples: [NearestPictures.Neighbour?], _ real: [NearestPictures.Neighbour?]) {
      neighbours = samples.compactMap { $0 }
      realDistances = real.compactMap { $0?.distance }.sorted()
    }

    /// Below it a sample is called a copy; nil without a real picture to compare with.
    public var threshold: Double? {
      realDistances.isEmpty ? nil : realDistances[realDistances.count / 100]
    }

    /// The places of the samples that are called copies.
    public var copies: [Int] {
      guard let threshold else { return [] }
      return neighbours.indices.filter { neighbours[$0].distance < threshold }
    }

    /// The places of the samples, the nearest to a training picture first.
    public var nearestFirst: [Int] {
      neighbours.indices.sorted {
        (neighbours[$0].distance, $0) < (neighbours[$1].distance, $1)
      }
    }
  }

  /// How many training pictures there are.
  public let trainingCount: Int
  /// By pixels: root mean square differences in levels, 0…255.
  public let pixels: Measure
  /// By features.
  public let features: Measure

  /// Pictures and their features.
  typealias Examined = (squares: [Image], features: FeatureVectors)

  init(samples: Examined, real: Examined, training: Examined) {
    let numbers = Self.numbers(of: [real.squares, training.squares])
    func isSame(_ left: Int, _ right: Int) -> Bool { numbers[0][left] == numbers[1][right] }
    trainingCount = training.squares.count
    pixels = Measure(
      NearestPictures.byPixels(of: samples.squares, among: training.squares) { _, _ in false },
      NearestPictures.byPixels(of: real.squares, among: training.squares, skipping: isSame))
    features = Measure(
      NearestPictures.byFeatures(of: samples.features, among: training.features) { _, _ in false },
      NearestPictures.byFeatures(of: real.features, among: training.features, skipping: isSame))
  }

  /// The same number for equal pictures.
  private static func numbers(of sets: [[Image]]) -> [[Int]] {
    var known: [[UInt8]: Int] = [:]
    return sets.map { squares in
      squares.map { square in
        let samples = square.eightBitSamples
        let number = known[samples] ?? known.count
        known[samples] = number
        return number
      }
    }
  }
}
