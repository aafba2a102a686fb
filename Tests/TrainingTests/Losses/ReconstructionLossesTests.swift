import Tensors
import TestSupport
import Testing
import Training

@Suite struct ReconstructionLossesTests {
  private let y = sampleTensor([2, 3, 4, 3])
  private let x = sampleTensor([2, 3, 4, 3], seed: 2)
  /// More than a step away from x, where |y − x| has its corner.
  private let far = Tensor(
    sampleScalars(72).enumerated().map { ($0.offset % 2 == 0 ? 2.5 : -2.5) + $0.element },
    shape: [2, 3, 4, 3])
  private let logScale = Tensor([-0.7], shape: [1])

  @Test func gradientsAreThoseOfFiniteDifferences() {
    typealias Losses = ReconstructionLosses
    #expect(gradientError(at: [y, x]) { Losses.meanSquared($0[0], $0[1]) } < 2e-3)
    #expect(gradientError(at: [far, x]) { Losses.meanAbsolute($0[0], $0[1]) } < 2e-3)
    #expect(gradientError(at: [y, x]) { Losses.huber($0[0], $0[1], delta: 0.6) } < 1e-2)
    #expect(
      gradientError(at: [y, x, logScale]) {
        Losses.gaussian($0[0], $0[1], logScale: $0[2])
      } < 2e-3)
    #expect(
      gradientError(at: [far, x, logScale]) {
        Losses.laplace($0[0], $0[1], logScale: $0[2])
      } < 2e-3)
  }

  @Test func likelihoodsAreLeastAtTheScaleOfTheDifferences() {
    let zeros = Tensor(zeros: [1, 1, 4, 1])
    let picture = Tensor([0.5, -0.5, 0.5, -0.5], shape: [1, 1, 4, 1])
    let best = Tensor([-0.6931472], shape: [1]).tracked()
    for loss in [
      ReconstructionLosses.gaussian(zeros, picture, logScale: best),
      ReconstructionLosses.laplace(zeros, picture, logScale: best),
    ] {
      #expect(abs(gradients(of: loss, withRespectTo: [best])[0].scalars[0]) < 1e-6)
    }
    // ½ + ln ½ + ½ ln 2π, and 1 + ln 1
    let values = [
      ReconstructionLosses.gaussian(zeros, picture, logScale: best.detached()),
      ReconstructionLosses.laplace(zeros, picture, logScale: best.detached()),
    ]
    #expect(abs(values[0].scalars[0] - 0.7257914) < 1e-6)
    #expect(abs(values[1].scalars[0] - 1) < 1e-6)
  }

  @Test(.enabled(if: TorchReference.isAvailable, Comment(rawValue: TorchReference.absence)))
  func valuesAreThoseOfPyTorch() throws {
    let expected = try TorchReference.numbers(
      """
      n = torch.distributions.Normal(a, c.exp())
      l = torch.distributions.Laplace(a, c.exp())
      torch.stack([F.mse_loss(a, b), F.l1_loss(a, b), F.smooth_l1_loss(a, b, beta=0.6), -n.log_prob(b).mean(), -l.log_prob(b).mean()])
      """, [y, x, logScale])
    let found = [
      ReconstructionLosses.meanSquared(y, x), ReconstructionLosses.meanAbsolute(y, x),
      ReconstructionLosses.huber(y, x, delta: 0.6),
      ReconstructionLosses.gaussian(y, x, logScale: logScale),
      ReconstructionLosses.laplace(y, x, logScale: logScale),
    ].flatMap(\.scalars)
    #expect(relativeError(found, expected) < 1e-6)
  }
}
