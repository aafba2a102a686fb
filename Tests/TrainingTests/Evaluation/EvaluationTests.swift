import Models
import Tensors
import TestSupport
import Testing
import Training

@Suite struct EvaluationTests {
  /// z ~ N(0, 1), x|z ~ N(z, σ²): then x ~ N(0, 1 + σ²), and the posterior is known.
  private let variance: Float = 0.25
  private let x = sampleTensor([3, 2, 2, 2])

  private func posterior(shift: Float, scale: Float) -> DiagonalGaussianDistribution {
    DiagonalGaussianDistribution(
      mean: x * (1 / (1 + variance)) + shift,
      logVariance: Tensor(repeating: scale * variance / (1 + variance), shape: x.shape).log())
  }

  private func bounds(_ posterior: DiagonalGaussianDistribution, count: Int) -> EvidenceBounds {
    var source = PhiloxRandomSource(seed: 4)
    return EvidenceBounds(
      of: x, posterior: posterior, likelihood: .gaussian(sigma: 0.5), sampleCount: count,
      using: &source, decode: { $0 })
  }

  private var evidence: [Double] {
    Likelihood.gaussian(sigma: Double(1 + variance).squareRoot())
      .logDensities(of: x, around: Tensor(zeros: x.shape))
  }

  @Test func theTruePosteriorMakesTheBoundExact() {
    for count in [1, 4] {
      let found = bounds(posterior(shift: 0, scale: 1), count: count)
      for (bound, exact) in zip(found.importanceWeighted, evidence) {
        #expect(abs(bound - exact) < 1e-4)
      }
    }
    let many = bounds(posterior(shift: 0, scale: 1), count: 3000)
    for (bound, exact) in zip(many.elbo, evidence) { #expect(abs(bound - exact) < 0.15) }
  }

  @Test func moreSamplesMakeTheBoundTighter() {
    let other = posterior(shift: 0.3, scale: 2)
    let many = bounds(other, count: 2000)
    #expect(many.elbo.count == 3)
    for (picture, exact) in evidence.enumerated() {
      #expect(many.elbo[picture] < exact - 0.5)
      // The deviation of this estimate is about 0.15.
      #expect(abs(many.importanceWeighted[picture] - exact) < 0.5)
      #expect(many.importanceWeighted[picture] > many.elbo[picture])
    }
  }

  @Test func bitsAreThoseOfEightBitLevels() {
    let found = bounds(posterior(shift: 0, scale: 1), count: 1)
    // A density that is even over −1…1 says nothing of the 255 steps between the levels.
    #expect(abs(found.bitsPerDimension(-8 * 0.6931471805599453) - 7.994353437) < 1e-6)
  }

  @Test func densitiesAreThoseOfTheObjective() throws {
    let y = sampleTensor(x.shape, seed: 9)
    for kind in [ObjectiveSettings.Reconstruction.gaussian, .laplace] {
      var settings = ObjectiveSettings()
      settings.reconstruction = kind
      let parameters = ObjectiveParameters(settings)
      let likelihood = try #require(Likelihood(settings, parameters: parameters))
      let report = Objective(settings)(
        pictures: x, reconstructions: y,
        code: BottleneckOutput(sampling: posterior(shift: 0, scale: 1), noise: nil),
        parameters: parameters, step: 0
      ).report
      let sum = likelihood.logDensities(of: x, around: y).reduce(0, +)
      #expect(abs(try #require(report[kind.rawValue]) + sum / 24) < 1e-5)
    }
    #expect(
      Likelihood(ObjectiveSettings(), parameters: ObjectiveParameters(ObjectiveSettings())) == nil)
  }

  @Test func statisticsAreThoseOfTheAggregate() {
    // Channel 0: means ±2 with variance ½; channel 1: the prior, for every picture.
    let means = Tensor([2, 0, -2, 0, -2, 0, 2, 0], shape: [2, 1, 2, 2])
    let logVariances = Tensor(
      [Float](repeating: 0, count: 8).enumerated().map { $0.offset % 2 == 0 ? -0.6931472 : 0 },
      shape: [2, 1, 2, 2])
    let all = DiagonalGaussianDistribution(mean: means, logVariance: logVariances)
    var statistics = LatentStatistics()
    #expect(statistics.channels.isEmpty && statistics.activeUnits() == 0)
    statistics.add(
      DiagonalGaussianDistribution(
        mean: means.images(0..<1), logVariance: logVariances.images(0..<1)))
    statistics.add(
      DiagonalGaussianDistribution(
        mean: means.images(1..<2), logVariance: logVariances.images(1..<2)))
    #expect(statistics.pictureCount == 2 && statistics.unitCount == 4)
    #expect(statistics.activeUnits() == 2 && statistics.activeShares() == [1, 0])
    let channels = statistics.channels
    #expect(abs(channels[0].mean) < 1e-9 && channels[1].mean == 0)
    #expect(abs(channels[0].standardDeviation - 4.5.squareRoot()) < 1e-6)
    #expect(abs(channels[1].standardDeviation - 1) < 1e-9)
    // ½(4 + ½ − 1 + ln 2), ½(4.5 − 1 − ln 4.5)
    #expect(abs(channels[0].divergence - 2.09657359) < 1e-6)
    #expect(abs(channels[0].aggregateDivergence - 0.99796130) < 1e-6)
    #expect(channels[1].divergence == 0 && abs(channels[1].aggregateDivergence) < 1e-9)
    let perChannel = all.klPerChannel().scalars
    #expect(abs(Double(perChannel[0]) - 2 * channels[0].divergence) < 1e-5)
  }
}
