import Models
public import Tensors

/// The distribution that latents are drawn from when there is no picture: a normal one for each
/// channel, alike at all positions and independent between them.
public struct LatentPrior: Sendable {
  /// Why it is this distribution.
  public enum Origin: Sendable, Hashable {
    /// The model's prior, N(0, 1) in the range that its scaling leads to.
    case prior
    /// The model has no prior; its recorded mean and standard deviation of each channel.
    case recordedStatistics
    /// The model has no prior; fitted to the latents of so many pictures.
    case fitted(pictureCount: Int)
  }

  /// Why it is this distribution.
  public let origin: Origin
  /// The mean of each channel, in the autoencoder's own range.
  public let mean: [Float]
  /// The standard deviation of each channel, in the autoencoder's own range.
  public let standardDeviation: [Float]

  /// The distribution for a codec's model.
  ///
  /// N(0, 1) in the diffusion model's range, brought to the autoencoder's by `LatentScaling`: the
  /// prior that a variational autoencoder was trained towards, with the scale that its latents were
  /// measured to have (Rombach et al. 2021, arXiv:2112.10752, section 3.3 and appendix G). Without a
  /// scaling that is N(0, 1) itself, of Kingma and Welling 2013, arXiv:1312.6114.
  ///
  /// A model without a posterior was trained towards no prior. Where its scaling has no statistics
  /// of the channels either, a normal distribution is fitted to the latents of
  /// ``SamplePicture/all``.
  ///
  /// - Throws: ``CodecError``, where pictures are encoded.
  public init(of codec: LatentCodec) throws {
    let autoencoder = codec.model.autoencoder
    let scaling = autoencoder.latentScaling
    let hasStatistics = scaling.mean != nil && scaling.standardDeviation != nil
    guard autoencoder.hasPosterior || hasStatistics else {
      self = try Self(fittedToSamplePictures: codec)
      return
    }
    let channels = 0..<autoencoder.latentChannels
    origin = autoencoder.hasPosterior ? .prior : .recordedStatistics
    mean = channels.map { scaling.mean?[$0] ?? scaling.shift }
    standardDeviation = channels.map { (scaling.standardDeviation?[$0] ?? 1) / scaling.factor }
  }

  private init(fittedToSamplePictures codec: LatentCodec) throws {
    var covariance = ChannelCovariance(channelCount: codec.model.autoencoder.latentChannels)
    let samples = SamplePicture.all
    for sample in samples { covariance.add(try codec.latents(of: sample.image())) }
    origin = .fitted(pictureCount: samples.count)
    mean = covariance.mean.map(Float.init)
    standardDeviation = covariance.standardDeviations.map(Float.init)
  }

  /// The latent of a picture: mean + temperature · standardDeviation · ε.
  ///
  /// - Parameters:
  ///   - index: Which picture; it has a stream of random numbers of its own, so that it doesn't
  ///     depend on how many there are.
  ///   - seed: Of the random numbers.
  ///   - temperature: What standard deviations are multiplied with, at least 0; below 1 latents stay
  ///     nearer to the mean.
  ///   - rows: h.
  ///   - columns: w.
  /// - Returns: `[1, h, w, C]`, in the autoencoder's own range.
  public func latents(
    ofPicture index: Int, seed: UInt64, temperature: Double = 1, rows: Int, columns: Int
  ) -> Tensor {
    var random = PhiloxRandomSource(seed: seed).stream(UInt64(index))
    let noise = Tensor.randomNormal(shape: [1, rows, columns, mean.count], using: &random)
    return noise.affineChannels { channel in
      (standardDeviation[channel] * Float(temperature), mean[channel])
    }
  }
}
