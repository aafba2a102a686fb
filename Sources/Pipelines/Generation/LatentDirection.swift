import Models
public import Tensors

/// A direction in the space of a latent's channels, along which all positions are moved alike.
public struct LatentDirection: Sendable, Hashable {
  /// What it is called: `channel 3`, `component 1`.
  public let name: String
  /// `[C]`, of length 1.
  public let vector: [Double]
  /// How much latents vary along it: one standard deviation, in the autoencoder's own range.
  public let standardDeviation: Double
  /// The part of all channels' variance that lies along it, 0…1; nil if it wasn't measured.
  public let explainedVariance: Double?

  /// Latents moved by so many standard deviations: z + amount · standardDeviation · vector.
  ///
  /// - Parameters:
  ///   - latents: `[N, h, w, C]`.
  ///   - amount: In standard deviations.
  /// - Returns: Latents of the same shape; channels in which the vector is 0 keep their numbers.
  public func moving(_ latents: Tensor, by amount: Double) -> Tensor {
    latents.affineChannels { (1, Float(amount * standardDeviation * vector[$0])) }
  }

  /// Single channels.
  ///
  /// - Parameters:
  ///   - channels: Which ones, counted from 0; nil for all.
  ///   - covariance: Of latents; without it, a standard deviation is what the model's scaling makes 1.
  ///   - model: The model.
  /// - Returns: A direction for each channel.
  /// - Throws: ``GenerationError/noSuchChannel(_:count:)``.
  public static func channels(
    _ channels: [Int]?, measuredBy covariance: ChannelCovariance? = nil,
    of model: PretrainedAutoencoder
  ) throws(GenerationError) -> [LatentDirection] {
    let count = model.autoencoder.latentChannels
    let scaling = model.autoencoder.latentScaling
    let measured = covariance?.standardDeviations
    let total = covariance?.totalVariance ?? 0
    var directions: [LatentDirection] = []
    for channel in channels ?? Array(0..<count) {
      guard (0..<count).contains(channel) else {
        throw .noSuchChannel(channel, count: count)
      }
      let deviation =
        measured?[channel]
        ?? Double((scaling.standardDeviation?[channel] ?? 1) / scaling.factor)
      directions.append(
        LatentDirection(
          name: "channel \(channel)", vector: (0..<count).map { $0 == channel ? 1 : 0 },
          standardDeviation: deviation,
          explainedVariance: total > 0 ? deviation * deviation / total : nil))
    }
    return directions
  }

  /// The first principal components of latents' channel vectors.
  ///
  /// - Throws: ``GenerationError/tooManyComponents(_:count:)``, ``GenerationError/noVariance``.
  public static func components(
    _ count: Int, of covariance: ChannelCovariance
  ) throws(GenerationError) -> [LatentDirection] {
    guard (1...covariance.channelCount).contains(count) else {
      throw .tooManyComponents(count, count: covariance.channelCount)
    }
    let total = covariance.totalVariance
    guard total > 0, let components = covariance.components else { throw .noVariance }
    return components.prefix(count).enumerated().map { index, component in
      LatentDirection(
        name: "component \(index + 1)", vector: component.vector,
        standardDeviation: component.variance.squareRoot(),
        explainedVariance: component.variance / total)
    }
  }
}
