public import Models
import Tensors

/// What the posteriors of pictures of any sizes are like together.
///
/// A channel's figures are taken over all positions of all pictures: a network of convolutions does
/// the same everywhere. Units, channels at a position, are told apart only as long as all latents
/// have one size.
public struct LatentSummary: Sendable {
  private var positions = LatentStatistics()
  private var units: LatentStatistics? = LatentStatistics()
  private var size: Shape?

  /// A summary of nothing yet.
  public init() {}

  /// Takes in the posterior of one picture, `[1, h, w, C]`.
  public mutating func add(_ posterior: DiagonalGaussianDistribution) {
    let shape = posterior.mean.shape
    if size == nil { size = shape }
    if size != shape { units = nil }
    units?.add(posterior)
    let flat: Shape = [shape[1] * shape[2], 1, 1, shape[3]]
    positions.add(
      DiagonalGaussianDistribution(
        mean: posterior.mean.reshaped(to: flat),
        logVariance: posterior.logVariance?.reshaped(to: flat)))
  }

  /// What is known of each channel.
  public var channels: [LatentStatistics.Channel] { positions.channels }

  /// Over how many positions.
  public var positionCount: Int { positions.pictureCount }

  /// How many channels have a mean that varies between positions and pictures by more than 0.01.
  public var activeChannelCount: Int { positions.activeUnits() }

  /// The statistics of units; nil for latents of several sizes, and for one picture alone.
  public var unitStatistics: LatentStatistics? {
    guard let units, units.pictureCount > 1 else { return nil }
    return units
  }
}
