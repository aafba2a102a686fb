import Images
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
    #expect(abs(channels[0].varianceOfMeans - 4) < 1e-9)
    #expect(abs(channels[0].meanVariance - 0.5) < 1e-6 && abs(channels[1].meanVariance - 1) < 1e-9)
    // E[z⁴] = 16 + 6·4·½ + 3·¼ = 28.75, and 28.75/4.5² − 3.
    #expect(abs(channels[0].skewness) < 1e-9 && abs(channels[1].skewness) < 1e-9)
    #expect(abs(channels[0].excessKurtosis + 1.58024691) < 1e-6)
    #expect(abs(channels[1].excessKurtosis) < 1e-9)
    #expect(channels[1].divergence == 0 && abs(channels[1].aggregateDivergence) < 1e-9)
    let perChannel = all.klPerChannel().scalars
    #expect(abs(Double(perChannel[0]) - 2 * channels[0].divergence) < 1e-5)
  }

  @Test func aHeavyTailIsSeen() {
    // Around the mean 11: −1, −1, −1, 3; moments 3, 6 and 21.
    var statistics = LatentStatistics()
    statistics.add(
      DiagonalGaussianDistribution(
        mean: Tensor([10, 10, 10, 14], shape: [1, 2, 2, 1]), logVariance: nil))
    let channel = statistics.channels[0]
    #expect(abs(channel.skewness - 6 / 27.0.squareRoot()) < 1e-9)
    #expect(abs(channel.excessKurtosis - (21.0 / 9 - 3)) < 1e-9)
    var constant = LatentStatistics()
    constant.add(
      DiagonalGaussianDistribution(
        mean: Tensor(repeating: 7, shape: [1, 2, 2, 1]), logVariance: nil))
    #expect(constant.channels[0].skewness == 0 && constant.channels[0].excessKurtosis == 0)
  }

  @Test func latentsOfSeveralSizesShareTheirChannels() {
    func posterior(_ shape: Shape, seed: UInt64) -> DiagonalGaussianDistribution {
      DiagonalGaussianDistribution(
        mean: sampleTensor(shape, seed: seed), logVariance: sampleTensor(shape, seed: seed + 9))
    }
    let same = [posterior([1, 2, 3, 2], seed: 1), posterior([1, 2, 3, 2], seed: 2)]
    var summary = LatentSummary()
    var whole = LatentStatistics()
    #expect(summary.unitStatistics == nil)
    for item in same {
      summary.add(item)
      whole.add(item)
    }
    for (found, expected) in zip(summary.channels, whole.channels) {
      #expect(abs(found.divergence - expected.divergence) < 1e-12)
      #expect(abs(found.standardDeviation - expected.standardDeviation) < 1e-12)
    }
    #expect(summary.positionCount == 12 && summary.activeChannelCount == 2)
    #expect(summary.unitStatistics?.activeUnits() == whole.activeUnits())
    // The same number of places in another shape is another size.
    summary.add(posterior([1, 3, 2, 2], seed: 3))
    #expect(summary.positionCount == 18 && summary.unitStatistics == nil)
  }

  @Test func theTermsAreThoseOfTheBound() throws {
    // A picture in levels of 8 bits, and what it is decoded to.
    let (original, decoded) = (samplePicture(9, 7), samplePicture(9, 7, seed: 2))
    let sample = EvidenceSample(
      sampleCount: 189, meanSquaredError: decoded.meanSquaredError(to: original), divergence: 12.5)
    let sigma = try #require(EvidenceSample.bestSigma(for: [sample]))
    let terms = EvidenceTerms(of: [sample], sigma: sigma)
    let density = Likelihood.gaussian(sigma: sigma).logDensities(
      of: original.tensor(), around: decoded.tensor())[0]
    #expect(abs(terms.logLikelihood - density) < 1e-3)
    #expect(abs(terms.elbo - (density - 12.5)) < 1e-3)
    let bits = (-terms.elbo / 189 + 4.848116) / 0.693147181
    #expect(abs(terms.bitsPerDimension - bits) < 1e-5)
    #expect(abs(terms.klBitsPerDimension - 12.5 / 189 / 0.693147181) < 1e-8)
    for other in [0.99, 1.01] {
      #expect(EvidenceTerms(of: [sample], sigma: sigma * other).elbo < terms.elbo)
    }
    // Two pictures: nats are means, and σ is that of both together.
    let equal = EvidenceSample(sampleCount: 189, meanSquaredError: 0, divergence: 1)
    let both = try #require(EvidenceSample.bestSigma(for: [sample, equal]))
    #expect(abs(both - sigma / 2.0.squareRoot()) < 1e-12)
    #expect(EvidenceTerms(of: [sample, equal], sigma: both).kl == 6.75)
    #expect(EvidenceSample.bestSigma(for: []) == nil)
    #expect(try #require(EvidenceSample.bestSigma(for: [equal])) > 0)
  }
}
