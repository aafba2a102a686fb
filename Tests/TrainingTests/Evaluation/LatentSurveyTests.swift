import Models
import Tensors
import TestSupport
import Testing
import Training

@Suite struct LatentSurveyTests {
  private func posterior(
    _ rows: Int, _ columns: Int, seed: UInt64, logVariance: Float = -2
  ) -> DiagonalGaussianDistribution {
    DiagonalGaussianDistribution(
      mean: sampleTensor([1, rows, columns, 3], seed: seed) * 2,
      logVariance: sampleTensor([1, rows, columns, 3], seed: seed + 50) + logVariance)
  }

  @Test func channelsAreThoseOfTheStatisticsForOneSize() {
    var (survey, statistics) = (LatentSurvey(), LatentStatistics())
    for seed in 1...5 as ClosedRange<UInt64> {
      survey.add(posterior(4, 6, seed: seed))
      statistics.add(posterior(4, 6, seed: seed))
    }
    #expect(survey.positionCount == 120)
    for (found, expected) in zip(survey.statistics.channels, statistics.channels) {
      #expect(abs(found.mean - expected.mean) < 1e-9)
      #expect(abs(found.standardDeviation - expected.standardDeviation) < 1e-9)
      #expect(abs(found.divergence - expected.divergence) < 1e-9)
    }
  }

  @Test func sizesMayDiffer() {
    var survey = LatentSurvey()
    let all = [posterior(4, 6, seed: 1), posterior(1, 1, seed: 2), posterior(9, 2, seed: 3)]
    for posterior in all { survey.add(posterior) }
    #expect(survey.positionCount == 24 + 1 + 18)
    for channel in 0..<3 {
      let numbers = all.flatMap { posterior in
        stride(from: channel, to: posterior.mean.shape.scalarCount, by: 3).map {
          posterior.mean.scalars[$0]
        }
      }
      #expect(survey.least[channel] == numbers.min() && survey.greatest[channel] == numbers.max())
      let mean = numbers.reduce(0) { $0 + Double($1) } / 43
      #expect(abs(survey.statistics.channels[channel].mean - mean) < 1e-6)
    }
  }

  @Test func clampedVariancesAreCounted() {
    var survey = LatentSurvey()
    survey.add(posterior(4, 4, seed: 1))
    survey.add(posterior(4, 4, seed: 1, logVariance: -90))
    #expect(survey.saturatedLowShares == [0.5, 0.5, 0.5])
    #expect(survey.saturatedHighShares == [0, 0, 0])
    survey.add(posterior(8, 4, seed: 1, logVariance: 90))
    #expect(survey.saturatedHighShares == [0.5, 0.5, 0.5])
  }

  @Test func latentsThatAreNotFiniteAreLeftOut() {
    var survey = LatentSurvey()
    survey.add(
      DiagonalGaussianDistribution(
        mean: Tensor([1, .nan, 2], shape: [1, 1, 1, 3]), logVariance: nil))
    #expect(survey.nonFiniteCount == 1 && survey.positionCount == 0)
  }

  @Test func theFittingScalingMakesThemStandard() {
    var survey = LatentSurvey()
    for seed in 1...3 as ClosedRange<UInt64> { survey.add(posterior(8, 8, seed: seed)) }
    let (mean, deviation) = survey.scaled(by: survey.statistics.scaling)
    #expect(abs(mean) < 1e-6 && abs(deviation - 1) < 1e-6)
    let double = survey.scaled(by: LatentScaling(factor: 2, shift: 1))
    #expect(abs(double.mean - 2 * (survey.statistics.overallMean - 1)) < 1e-9)
    #expect(
      abs(double.standardDeviation - 2 * survey.statistics.overallStandardDeviation) < 1e-9)
  }
}
