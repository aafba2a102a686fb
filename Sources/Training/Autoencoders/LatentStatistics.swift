public import Models
import Tensors

/// What the latents of many pictures are like, channel by channel.
///
/// Posteriors are added one after the other, in double precision, so that sums depend on their order
/// alone.
public struct LatentStatistics: Sendable {
  /// How many positions were added: of each picture h·w.
  public private(set) var positionCount = 0
  private var sums: [Double]
  private var squares: [Double]
  private var variances: [Double]
  private var divergences: [Double]

  /// A channel whose mean varies by more than this from picture to picture and place to place is in
  /// use: Burda et al. 2015, arXiv:1509.00519, section 5.1.
  public static let activityThreshold = 0.01

  /// Nothing yet, of so many channels.
  public init(channelCount: Int) {
    let zeros = [Double](repeating: 0, count: channelCount)
    (sums, squares, variances, divergences) = (zeros, zeros, zeros, zeros)
  }

  /// Takes in the posteriors of some pictures.
  ///
  /// - Precondition: they have as many channels.
  public mutating func add(_ posterior: DiagonalGaussianDistribution) {
    let channels = sums.count
    precondition(
      posterior.mean.shape[-1] == channels, "\(posterior.mean.shape) for \(channels) channels")
    let mean = posterior.mean.scalars
    let logVariance = posterior.logVariance?.scalars
    let variance = posterior.logVariance?.exp().scalars
    for index in mean.indices {
      let channel = index % channels
      let value = Double(mean[index])
      sums[channel] += value
      squares[channel] += value * value
      guard let variance, let logVariance else { continue }
      variances[channel] += Double(variance[index])
      divergences[channel] +=
        (value * value + Double(variance[index]) - 1 - Double(logVariance[index])) / 2
    }
    positionCount += mean.count / channels
  }

  private var count: Double { Double(max(1, positionCount)) }

  /// The mean of each channel.
  public var means: [Double] { sums.map { $0 / count } }

  /// By how much each channel's posterior mean varies: Var μ.
  public var meanVariances: [Double] {
    zip(squares, means).map { max(0, $0 / count - $1 * $1) }
  }

  /// The standard deviation of each channel's samples: √(Var μ + mean σ²).
  public var standardDeviations: [Double] {
    zip(meanVariances, variances).map { ($0 + $1 / count).squareRoot() }
  }

  /// The mean over all channels.
  public var overallMean: Double { sums.reduce(0, +) / count / Double(sums.count) }

  /// The standard deviation of all samples, whatever their channel, around ``overallMean``.
  public var overallStandardDeviation: Double {
    let square = (squares.reduce(0, +) + variances.reduce(0, +)) / count / Double(sums.count)
    return max(0, square - overallMean * overallMean).squareRoot()
  }

  /// KL(q ‖ N(0, 1)) of each channel in nats a position; zeros for networks without a variance.
  public var klPerChannel: [Double] { divergences.map { $0 / count } }

  /// How many channels are in use, see ``activityThreshold``.
  public var activeChannelCount: Int {
    meanVariances.count { $0 > Self.activityThreshold }
  }

  /// What brings samples to mean 0 and variance 1.
  ///
  /// The factor is 1/std over all channels (Rombach et al. 2021, arXiv:2112.10752, appendix G) and
  /// the shift their mean, for readers that know only these two. Channels have means of their own,
  /// and standard deviations relative to that of all, so that (z − meanᶜ) · factor / stdᶜ, which is
  /// how diffusers uses them together, has variance 1 in each channel.
  public var scaling: LatentScaling {
    let all = overallStandardDeviation
    guard all > 0, all.isFinite else { return LatentScaling() }
    // A channel that never varies stays as it is.
    let relative = standardDeviations.map { $0 > 1e-6 * all ? Float($0 / all) : 1 }
    return LatentScaling(
      factor: Float(1 / all), shift: Float(overallMean), mean: means.map { Float($0) },
      standardDeviation: relative)
  }
}
