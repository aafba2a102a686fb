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
    ///
    /// Its square is ``varianceOfMeans`` + ``meanVariance``.
    public let standardDeviation: Double
    /// Var(μ) over pictures and positions: what tells pictures from each other.
    public let varianceOfMeans: Double
    /// E[σ²], the noise of the posterior; 0 for a deterministic autoencoder.
    public let meanVariance: Double
    /// E[(z − mean)³]/std³: 0 for what is even around its mean.
    public let skewness: Double
    /// E[(z − mean)⁴]/std⁴ − 3: 0 for a normal distribution, above 0 for heavier tails.
    public let excessKurtosis: Double
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
  /// Σ E[z³] and Σ E[z⁴] of each channel.
  private var cubes: [Double] = []
  private var fourths: [Double] = []

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
      (divergences, cubes, fourths) = (variances, variances, variances)
    }
    precondition(
      units == sums.count && shape[-1] == channelCount, "latents \(shape) among \(sums.count) units"
    )
    let means = posterior.mean.scalars
    let logVariances = posterior.logVariance?.scalars
    for (index, mean) in means.enumerated() {
      let (unit, mean) = (index % units, Double(mean))
      let (channel, square) = (unit % channelCount, mean * mean)
      sums[unit] += mean
      squares[unit] += square
      cubes[channel] += square * mean
      fourths[channel] += square * square
      guard let logVariances else { continue }
      let logVariance = Double(logVariances[index])
      let variance = exponential(logVariance)
      variances[channel] += variance
      divergences[channel] += (square + variance - 1 - logVariance) / 2
      // z = μ + σε, with E[ε²] = 1 and E[ε⁴] = 3.
      cubes[channel] += 3 * mean * variance
      fourths[channel] += 6 * square * variance + 3 * variance * variance
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
      let (spread, noise) = (max(0, square - mean * mean), variances[channel] / count)
      let variance = spread + noise
      let logVariance = ElementaryFunctions.logarithm(max(variance, .leastNormalMagnitude))
      // Moments around the mean from those around 0.
      let (second, third) = (square + noise, cubes[channel] / count)
      let cube = third - 3 * mean * second + 2 * mean * mean * mean
      let fourth =
        fourths[channel] / count - 4 * mean * third + 6 * mean * mean * second
        - 3 * mean * mean * mean * mean
      let isSpread = variance > 1e-12 * max(second, .leastNormalMagnitude)
      return Channel(
        mean: mean, standardDeviation: variance.squareRoot(), varianceOfMeans: spread,
        meanVariance: noise,
        skewness: isSpread ? cube / (variance * variance.squareRoot()) : 0,
        excessKurtosis: isSpread ? fourth / (variance * variance) - 3 : 0,
        divergence: divergences[channel] / count,
        aggregateDivergence: (mean * mean + variance - 1 - logVariance) / 2)
    }
  }
}
