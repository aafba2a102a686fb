import Layers
import Tensors
import TestSupport
import Testing
import Training

@Suite struct AdversarialLossesTests {
  @Test func hingesAreThoseOfTheFormula() {
    let (real, fake) = (
      Tensor([2, 0.5, -1], shape: [3]).tracked(), Tensor([-2, -0.5, 1], shape: [3]).tracked()
    )
    let loss = AdversarialLosses.discriminator(real: real, fake: fake)
    #expect(abs(loss.scalars[0] - 2.5 / 3) < 1e-6)
    let found = gradients(of: loss, withRespectTo: [real, fake])
    #expect(relativeError(found[0].scalars, [0, -1 / 6, -1 / 6]) < 1e-6)
    #expect(relativeError(found[1].scalars, [0, 1 / 6, 1 / 6]) < 1e-6)
    #expect(AdversarialLosses.generator(fake: fake).scalars[0] == 0.5)
  }

  @Test func theAdaptiveWeightIsTheRatioOfNorms() {
    let weight = sampleTensor([3, 3, 4, 3]).tracked()
    let y = sampleTensor([1, 8, 8, 4], seed: 2).conv2d(weight, padding: ConvolutionPadding(1))
    let (first, second) = (y.squared().mean(), (y * 0.3).tanh().mean())
    let lambda = AdversarialLosses.adaptiveWeight(
      reconstruction: first, adversarial: second, withRespectTo: weight)
    let norms = [first, second].map { loss in
      gradients(of: loss, withRespectTo: [weight], keepingRecording: true)[0].scalars
        .reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
    }
    let expected = norms[0] / (norms[1] + 1e-4)
    #expect(abs(lambda / expected - 1) < 1e-6)
    // Without any gradient of the second it ends at its bound.
    let vast = AdversarialLosses.adaptiveWeight(
      reconstruction: first * 1e6, adversarial: second * 0, withRespectTo: weight)
    #expect(vast == 1e4)
  }

  @Test func aJudgementIsAboutAPatch() throws {
    var source = PhiloxRandomSource(seed: 1)
    let discriminator = PatchDiscriminator(channels: 4, layers: 3, using: &source)
    #expect(discriminator(sampleTensor([2, 64, 48, 3])).shape == [2, 6, 4, 1])
    #expect(discriminator.leastSide == 24)
    #expect(discriminator(sampleTensor([1, 24, 24, 3])).shape == [1, 1, 1, 1])
    let names = discriminator.tracked().parameters.map(\.path.description)
    #expect(
      names == [
        "main.0.weight", "main.0.bias", "main.2.weight", "main.3.weight", "main.3.bias",
        "main.5.weight", "main.6.weight", "main.6.bias", "main.8.weight", "main.9.weight",
        "main.9.bias", "main.11.weight", "main.11.bias",
      ])
    // One of many judgements depends on 70 rows.
    let x = sampleTensor([1, 128, 128, 3]).tracked()
    var picker = [Float](repeating: 0, count: 14 * 14)
    picker[7 * 14 + 7] = 1
    let judged = withoutNorms(discriminator, x)
    let found = gradients(
      of: (judged * Tensor(picker, shape: judged.shape)).sum(), withRespectTo: [x])[0]
    let rows = (0..<128).map { row in
      found.scalars[row * 128 * 3..<(row + 1) * 128 * 3].reduce(0) { max($0, abs($1)) }
    }
    // Fast convolutions leave rounding where the gradient is 0.
    let touched = rows.filter { $0 > 3e-6 * (rows.max() ?? 0) }
    #expect(touched.count == 70)
  }

  /// The same network without norms, which see the whole picture.
  private func withoutNorms(_ discriminator: PatchDiscriminator, _ x: Tensor) -> Tensor {
    var hidden = x
    for (index, convolution) in discriminator.convolutions.enumerated() {
      hidden = convolution(hidden)
      if index < discriminator.convolutions.count - 1 { hidden = hidden.leakyReLU(slope: 0.2) }
    }
    return hidden
  }

  @Test func gradientsAreThoseOfFiniteDifferences() {
    var source = PhiloxRandomSource(seed: 1)
    var discriminator = PatchDiscriminator(channels: 4, layers: 2, using: &source)
    discriminator.randomize(using: &source)
    let constant = discriminator
    let x = sampleTensor([1, 20, 16, 3])
    #expect(gradientError(at: [x], step: 0x1p-7) { constant($0[0]) } < 2e-2)
  }
}
