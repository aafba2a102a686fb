public import Models
import Tensors

/// What the posteriors of many pictures are like together: the aggregate posterior, channel by
/// channel, and which units carry something.
///
/// A unit is one number of a latent: a channel at a position.
public struct LatentStatistics: Sendable {
  /// What is known of a channel.
  public struct Channel: Hashable, Sendable {
    /// The mean of z over pictures and positions.
    public let mean: Double
    /// The standard deviation of z: of the means, and around them.
    public let standardDeviation: Double
    /// KL(q(z|x) ‖ N(0, 1)) in nats a position, the mean over pictures and positions.
    public let divergence: Double
    /// KL of N(mean, standardDeviation²) from N(0, 1), in nats: how far the aggregate posterior,
    /// taken as normal, is from the prior.
    ///
    /// The rest of ``divergence`` is what z says of the picture.
    public let aggregateDivergence: Double
  }

  /// How many pictures were taken in.
  public private(set) var pictureCount = 0
  private var channelCount = 0
  private var sums: [Double] = []
  private var squares: [Double] = []
  private var variances: [Double] = []
  private var divergences: [Double] = []

  /// Statistics of nothing yet.
  public init() {}

  /// Takes in the posteriors of a batch.
  ///
  /// - Precondition: all batches have latents of one size.
  public mutating func add(_ posterior: DiagonalGaussianDistribution) {
    let shape = posterior.mean.shape
    let units = shape.samplesOfAPicture
    if pictureCount == 0 {
      channelCount = shape[-1]
      sums = [Double](repeating: 0, count: units)
      squares = sums
      variances = [Double](repeating: 0, count: channelCount)
      divergences = variances
    }
    precondition(
      units == sums.count && shape[-1] == channelCount, "latents \(shape) among \(sums.count) units"
    )
    let means = posterior.mean.scalars
    let logVariances = posterior.logVariance?.scalars
    for (index, mean) in means.enumerated() {
      let (unit, mean) = (index % units, Double(mean))
      sums[unit] += mean
      squares[unit] += mean * mean
      guard let logVariances else { continue }
      let logVariance = Double(logVariances[index])
      let variance = exponential(logVariance)
      variances[unit % channelCount] += variance
      divergences[unit % channelCount] += (mean * mean + variance - 1 - logVariance) / 2
    }
    pictureCount += shape[0]
  }

  /// How many units a latent has.
  public var unitCount: Int { sums.count }

  /// How many units have a mean that varies between pictures: Var(μ) above `threshold`.
  ///
  /// Burda, Grosse and Salakhutdinov 2015, arXiv:1509.00519, appendix C, who take 10⁻².
  public func activeUnits(threshold: Double = 0.01) -> Int {
    sums.indices.count { meanVariance(ofUnit: $0) > threshold }
  }

  /// The share of each channel's units that are active; see ``activeUnits(threshold:)``.
  public func activeShares(threshold: Double = 0.01) -> [Double] {
    var counts = [Double](repeating: 0, count: channelCount)
    for unit in sums.indices where meanVariance(ofUnit: unit) > threshold {
      counts[unit % channelCount] += 1
    }
    return counts.map { $0 * Double(channelCount) / Double(unitCount) }
  }

  private func meanVariance(ofUnit unit: Int) -> Double {
    let count = Double(pictureCount)
    let mean = sums[unit] / count
    return max(0, squares[unit] / count - mean * mean)
  }

  /// What is known of each channel; empty before anything was taken in.
  public var channels: [Channel] {
    (0..<channelCount).map { channel in
      let places = stride(from: channel, to: unitCount, by: channelCount)
      let count = Double(pictureCount * unitCount / channelCount)
      let mean = places.reduce(0) { $0 + sums[$1] } / count
      let square = places.reduce(0) { $0 + squares[$1] } / count
      let variance = max(0, square - mean * mean) + variances[channel] / count
      let logVariance = ElementaryFunctions.logarithm(max(variance, .leastNormalMagnitude))
      return Channel(
        mean: mean, standardDeviation: variance.squareRoot(),
        divergence: divergences[channel] / count,
        aggregateDivergence: (mean * mean + variance - 1 - logVariance) / 2)
    }
  }
}
