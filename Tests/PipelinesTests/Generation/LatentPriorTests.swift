import Images
import Models
import Pipelines
import Tensors
import TestSupport
import Testing

@Suite struct LatentPriorTests {
  @Test func aPictureDependsOnItsNumberAndTheSeedAlone() throws {
    let codec = LatentCodec(try tinyAutoencoderKL())
    let prior = try LatentPrior(of: codec)
    func picture(_ index: Int, seed: UInt64 = 7, threads: Int = 1) throws -> Image.Samples {
      try ThreadPool.$current.withValue(ThreadPool(threadCount: threads)) {
        try codec.sample(prior, picture: index, seed: seed, height: 21, width: 34).samples
      }
    }
    let third = try picture(3)
    #expect(try picture(3, threads: 5) == third)
    #expect(try picture(2) != third && picture(3, seed: 8) != third)
    #expect(third.count == 21 * 34 * 3)
  }

  @Test func latentsHaveTheStatisticsOfTheScaling() throws {
    let codec = LatentCodec(
      try tinyAutoencoderKL {
        $0.scalingFactor = 0.5
        $0.latentsMean = [1, -2, 0, 3]
        $0.latentsStd = [1, 2, 0.5, 1]
      })
    let prior = try LatentPrior(of: codec)
    #expect(prior.origin == .prior)
    var covariance = ChannelCovariance(channelCount: 4)
    covariance.add(
      prior.latents(ofPicture: 0, seed: 1, temperature: 0.5, rows: 100, columns: 200))
    for channel in 0..<4 {
      let mean = [1, -2, 0, 3.0][channel]
      let deviation = [1, 2, 0.5, 1.0][channel]
      #expect(abs(covariance.mean[channel] - mean) < 0.03 * deviation)
      #expect(abs(covariance.standardDeviations[channel] / deviation - 1) < 0.02)
    }
    // In the diffusion model's range it is N(0, 1).
    let noise = codec.model.autoencoder.latentScaling.toDiffusion(
      prior.latents(ofPicture: 0, seed: 1, rows: 8, columns: 8))
    var random = PhiloxRandomSource(seed: 1).stream(0)
    #expect(relativeError(noise.scalars, random.normals(count: 256)) < 1e-5)
  }

  @Test func withoutAPosteriorThereIsAFittedDistribution() throws {
    let codec = LatentCodec(try tinyAutoencoderTiny())
    let prior = try LatentPrior(of: codec)
    #expect(prior.origin == .fitted(pictureCount: SamplePicture.all.count))
    var covariance = ChannelCovariance(channelCount: 4)
    for sample in SamplePicture.all { covariance.add(try codec.latents(of: sample.image())) }
    #expect(prior.mean == covariance.mean.map(Float.init))
    #expect(prior.standardDeviation == covariance.standardDeviations.map(Float.init))
  }

  @Test func theEmbeddedModelsHaveTheirs() throws {
    let photo = LatentCodec(try #require(try EmbeddedModels.load("photo")))
    #expect(try LatentPrior(of: photo).origin == .recordedStatistics)
    let emoji = LatentCodec(try #require(try EmbeddedModels.load("emoji")))
    #expect(try LatentPrior(of: emoji).origin == .prior)
  }

  @Test func aTemperatureOfZeroGivesTheMean() throws {
    let prior = try LatentPrior(of: LatentCodec(tinyAutoencoderKL()))
    let latents = prior.latents(ofPicture: 4, seed: 0, temperature: 0, rows: 3, columns: 2)
    #expect(latents.shape == [1, 3, 2, 4] && latents.scalars.allSatisfy { $0 == 0 })
  }
}
