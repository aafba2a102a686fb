import Foundation
import Schedulers
import Tensors
import TestSupport
import Testing

@Suite struct TrainingTests {
  private let levels = [
    NoiseLevel(alphaCumprod: 0.9), NoiseLevel(alphaCumprod: 0.1), .flow(sigma: 0.3),
    .exploding(sigma: 4),
  ]

  @Test(arguments: PredictionType.allCases)
  func aTargetTellsPictureAndNoise(_ type: PredictionType) {
    let original = sampleTensor([4, 2, 3, 2])
    let noise = sampleTensor([4, 2, 3, 2], seed: 2)
    let samples = NoiseLevel.addNoise(to: original, noise: noise, levels: levels)
    let targets = type.target(original: original, noise: noise, levels: levels)
    for (index, level) in levels.enumerated() {
      let range = index..<index + 1
      let (sample, target) = (samples.images(range), targets.images(range))
      #expect(
        relativeError(type.original(target, sample: sample, at: level), original.images(range))
          < 1e-5)
      #expect(
        relativeError(type.noise(target, sample: sample, at: level), noise.images(range)) < 1e-5)
      let alone = level.addNoise(to: original.images(range), noise: noise.images(range))
      #expect(relativeError(sample, alone) < 1e-6)
    }
  }

  @Test func velocityOfStraightPathsIsTheDifference() {
    let (original, noise) = (sampleTensor([1, 2, 2, 1]), sampleTensor([1, 2, 2, 1], seed: 2))
    let target = PredictionType.flow.target(
      original: original, noise: noise, levels: [.flow(sigma: 0.4)])
    #expect(target.scalars == (noise - original).scalars)
  }

  @Test func minSNRWeightsAreThoseOfThePaper() {
    for alpha in [0.999, 0.9, 0.5, 0.01] {
      let level = NoiseLevel(alphaCumprod: alpha)
      let snr = alpha / (1 - alpha)
      let capped = min(snr, 5)
      #expect(abs(level.snr - snr) < 1e-9 * snr)
      #expect(abs(PredictionType.epsilon.minSNRWeight(at: level) - capped / snr) < 1e-9)
      #expect(abs(PredictionType.velocity.minSNRWeight(at: level) - capped / (snr + 1)) < 1e-9)
      #expect(abs(PredictionType.sample.minSNRWeight(at: level) - capped) < 1e-9)
      #expect(abs(PredictionType.sample.minSNRWeight(at: level, gamma: 1) - min(snr, 1)) < 1e-9)
    }
    let noise = NoiseLevel(alphaCumprod: 0)
    #expect(PredictionType.epsilon.minSNRWeight(at: noise) == 1)
    #expect(PredictionType.velocity.minSNRWeight(at: noise) == 0)
  }

  @Test func aPreconditionedTargetGivesThePicture() {
    let edm = EDMPreconditioning(sigmaData: 0.7)
    let sigmas = [0.01, 0.7, 30]
    let original = sampleTensor([3, 2, 2, 2])
    let noise = sampleTensor([3, 2, 2, 2], seed: 2)
    let sample = NoiseLevel.addNoise(
      to: original, noise: noise, levels: sigmas.map { .exploding(sigma: $0) })
    let target = edm.target(original: original, sample: sample, sigmas: sigmas)
    let denoised = edm.denoised(target, sample: sample, sigmas: sigmas)
    #expect(relativeError(denoised, original) < 1e-5)
    for sigma in sigmas {
      let weight = (sigma * sigma + 0.49) / (sigma * 0.7 * sigma * 0.7)
      #expect(abs(edm.weight(sigma: sigma) - weight) < 1e-9 * weight)
      let scale = edm.outputScale(sigma: sigma)
      #expect(abs(edm.weight(sigma: sigma) * scale * scale - 1) < 1e-12)
    }
  }

  @Test func noiseLevelsAreSpreadAsTheyShould() {
    var source = PhiloxRandomSource(seed: 5)
    let logarithms = NoiseLevelSampling.logNormalSigmas(count: 20_000, using: &source)
      .map { log($0) }
    let mean = logarithms.reduce(0, +) / 20_000
    let variance = logarithms.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 20_000
    #expect(abs(mean + 1.2) < 0.04 && abs(variance - 1.44) < 0.06)
    let flow = NoiseLevelSampling.logitNormalSigmas(count: 20_000, using: &source)
    #expect(flow.allSatisfy { $0 > 0 && $0 < 1 })
    let middle = Double(flow.count { $0 > 0.25 && $0 < 0.75 }) / 20_000
    // ln 3 is 1.0986 deviations: 72.8 % lie within.
    #expect(abs(middle - 0.728) < 0.015)
    let timesteps = NoiseLevelSampling.uniformTimesteps(count: 20_000, of: 10, using: &source)
    for timestep in 0..<10 {
      #expect(abs(timesteps.count { $0 == timestep } - 2000) < 250)
    }
  }
}
