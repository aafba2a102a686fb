import Models
import Tensors
import TestSupport
import Testing
import Training

@Suite struct KLDivergenceTests {
  private let mean = sampleTensor([2, 2, 3, 4])
  private let logVariance = sampleTensor([2, 2, 3, 4], seed: 2)
  private let noise = sampleTensor([2, 2, 3, 4], seed: 3)

  private func posterior(_ tensors: [Tensor]) -> DiagonalGaussianDistribution {
    DiagonalGaussianDistribution(mean: tensors[0], logVariance: tensors[1])
  }

  @Test func gradientsAreThoseOfFiniteDifferences() {
    let places = [mean, logVariance]
    #expect(gradientError(at: places) { posterior($0).klPerChannel() } < 2e-3)
    #expect(gradientError(at: places) { posterior($0).klPerChannel(noise: noise) } < 2e-3)
    #expect(
      gradientError(at: places) {
        KLDivergence.withFreeBits(posterior($0).klPerChannel(), bits: 0.01, positions: 6)
      } < 2e-3)
  }

  @Test func channelsAddUpToTheDivergence() {
    let channels = posterior([mean, logVariance]).klPerChannel().scalars.reduce(0, +)
    let pictures = posterior([mean, logVariance]).klDivergence().scalars.reduce(0, +)
    #expect(abs(channels - pictures / 2) < 1e-5)
  }

  @Test func theStandardNormalHasNone() {
    let zeros = Tensor(zeros: [1, 2, 2, 3])
    #expect(posterior([zeros, zeros]).klPerChannel().scalars == [0, 0, 0])
    let deterministic = DiagonalGaussianDistribution(mean: mean, logVariance: nil)
    #expect(deterministic.klPerChannel().scalars == [0, 0, 0, 0])
    #expect(deterministic.klPerChannel(noise: noise).scalars == [0, 0, 0, 0])
  }

  @Test func theEstimateConvergesToTheClosedForm() {
    let exact = posterior([mean, logVariance]).klPerChannel().scalars
    var source = PhiloxRandomSource(seed: 5)
    var sums = [Double](repeating: 0, count: 4)
    let count = 4000
    for _ in 0..<count {
      let noise = Tensor.randomNormal(shape: mean.shape, using: &source)
      for (channel, value) in posterior([mean, logVariance]).klPerChannel(noise: noise).scalars
        .enumerated()
      {
        sums[channel] += Double(value) / Double(count)
      }
    }
    // One estimate has a deviation of about 2 nats.
    for channel in 0..<4 { #expect(abs(sums[channel] - Double(exact[channel])) < 0.12) }
  }

  @Test func freeBitsAreAFloorWithoutGradient() {
    let channels = Tensor([0.5, 20], shape: [2]).tracked()
    let counted = KLDivergence.withFreeBits(channels, bits: 0.5, positions: 16)
    #expect(abs(counted.scalars[0] - 5.545177) < 1e-5)
    #expect(counted.scalars[1] == 20)
    #expect(gradients(of: counted.sum(), withRespectTo: [channels])[0].scalars == [0, 1])
  }

  @Test func capacityDrawsFromBothSides() {
    for (value, slope) in [(Float(0.5), Float(-1)), (3, 1)] {
      let divergence = Tensor([value], shape: []).tracked()
      let loss = KLDivergence.aroundCapacity(divergence, capacity: 2)
      #expect(loss.scalars == [abs(value - 2)])
      #expect(gradients(of: loss, withRespectTo: [divergence])[0].scalars == [slope])
    }
  }

  @Test(.enabled(if: TorchReference.isAvailable, Comment(rawValue: TorchReference.absence)))
  func valuesAndGradientsAreThoseOfPyTorch() throws {
    let expected = try TorchReference.numbers(
      """
      q = torch.distributions.Normal(a, (0.5 * b).exp())
      kl = torch.distributions.kl_divergence(q, torch.distributions.Normal(0.0, 1.0)).sum((2, 3)).mean(0)
      ga, gb = torch.autograd.grad(kl.sum(), [a, b])
      torch.cat([kl, ga.permute(0, 2, 3, 1).flatten(), gb.permute(0, 2, 3, 1).flatten()])
      """, [mean, logVariance])
    let (m, v) = (mean.tracked(), logVariance.tracked())
    let channels = posterior([m, v]).klPerChannel()
    let found = gradients(of: channels.sum(), withRespectTo: [m, v]).flatMap(\.scalars)
    #expect(relativeError(channels.scalars + found, expected) < 1e-6)
  }
}
