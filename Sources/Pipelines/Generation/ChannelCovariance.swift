public import Tensors

/// The mean and covariance of the channel vectors of latents, over all their positions.
public struct ChannelCovariance: Sendable {
  /// The length of a vector.
  public let channelCount: Int
  /// How many vectors were added.
  public private(set) var positionCount = 0
  private var sums: [Double]
  /// Σ (x − r)(x − r)ᵀ, row by row.
  private var products: [Double]
  /// r: a vector near the mean, so that squares don't cancel.
  private var reference: [Double] = []

  /// Of no vectors yet.
  public init(channelCount: Int) {
    precondition(channelCount >= 1, "\(channelCount) channels")
    self.channelCount = channelCount
    sums = [Double](repeating: 0, count: channelCount)
    products = [Double](repeating: 0, count: channelCount * channelCount)
  }

  /// Adds the vectors of latents `[N, h, w, C]`.
  ///
  /// - Precondition: C is ``channelCount``.
  public mutating func add(_ latents: Tensor) {
    precondition(
      latents.shape[-1] == channelCount, "\(latents.shape) among \(channelCount) channels")
    let span = latents.span
    let count = latents.shape.scalarCount / channelCount
    guard count > 0 else { return }
    if reference.isEmpty { reference = (0..<channelCount).map { Double(span[$0]) } }
    var vector = reference
    for position in 0..<count {
      for channel in 0..<channelCount {
        vector[channel] = Double(span[position * channelCount + channel]) - reference[channel]
        sums[channel] += vector[channel]
      }
      for row in 0..<channelCount {
        for column in 0...row {
          products[row * channelCount + column] += vector[row] * vector[column]
        }
      }
    }
    positionCount += count
  }

  /// The mean of each channel; empty before anything was added.
  public var mean: [Double] {
    zip(reference, sums).map { $0 + $1 / Double(positionCount) }
  }

  /// The standard deviation of each channel.
  public var standardDeviations: [Double] {
    (0..<channelCount).map { max(0, covariance($0, $0)).squareRoot() }
  }

  /// The sum of all channels' variances.
  public var totalVariance: Double {
    (0..<channelCount).reduce(0) { $0 + max(0, covariance($1, $1)) }
  }

  /// The principal components, the one of the greatest variance first; nil where there are no
  /// numbers, or numbers that aren't finite.
  ///
  /// The eigenvectors of the covariance, of length 1, and the variances along them.
  public var components: [(vector: [Double], variance: Double)]? {
    guard positionCount > 0 else { return nil }
    let indices = 0..<channelCount
    let matrix = indices.flatMap { row in
      indices.map { covariance(max(row, $0), min(row, $0)) }
    }
    return SymmetricEigenvectors(of: matrix, size: channelCount).map { eigen in
      zip(eigen.vectors, eigen.values).map { ($0, max(0, $1)) }
    }
  }

  /// A number of the lower triangle; 0 before anything was added.
  private func covariance(_ row: Int, _ column: Int) -> Double {
    guard positionCount > 0 else { return 0 }
    let count = Double(positionCount)
    return products[row * channelCount + column] / count
      - sums[row] / count * (sums[column] / count)
  }
}
