import Images
import Tensors
import TestSupport
import Testing
import Training

@Suite struct StructuralSimilarityLossTests {
  @Test func gradientsAreThoseOfFiniteDifferences() {
    let (y, x) = (sampleTensor([1, 12, 13, 2]), sampleTensor([1, 12, 13, 2], seed: 2))
    #expect(
      gradientError(at: [y, x], step: 0x1p-4) { StructuralSimilarityLoss.ssim($0[0], $0[1]) }
        < 2e-2)
  }

  @Test func equalPicturesCostNothing() {
    let x = sampleTensor([1, 161, 170, 3])
    #expect(abs(StructuralSimilarityLoss.ssim(x, x).scalars[0]) < 1e-6)
    #expect(abs(StructuralSimilarityLoss.multiScale(x, x).scalars[0]) < 1e-6)
    #expect(StructuralSimilarityLoss.leastSideOverScales == 161)
  }

  @Test(
    .enabled(if: TorchReference.isAvailable, Comment(rawValue: TorchReference.absence)),
    arguments: [(161, 177), (176, 192)])
  func valuesAndGradientsAreThoseOfPyTorch(height: Int, width: Int) throws {
    let shape: Shape = [2, height, width, 3]
    let x = sampleTensor(shape)
    let y = (x * 0.8 + sampleTensor(shape, seed: 2) * 0.3).tracked()
    let expected = try TorchReference.numbers(
      """
      import pytorch_msssim
      s = 1 - pytorch_msssim.ssim(a, b, data_range=2)
      m = 1 - pytorch_msssim.ms_ssim(a, b, data_range=2)
      g, h = torch.autograd.grad(s, a)[0], torch.autograd.grad(m, a)[0]
      torch.cat([s.reshape(1), m.reshape(1), g.permute(0, 2, 3, 1).flatten(), h.permute(0, 2, 3, 1).flatten()])
      """, [y.detached(), x])
    let losses = [
      StructuralSimilarityLoss.ssim(y, x), StructuralSimilarityLoss.multiScale(y, x),
    ]
    #expect(relativeError(losses.flatMap(\.scalars), Array(expected[0..<2])) < 1e-4)
    let count = shape.scalarCount
    for (index, loss) in losses.enumerated() {
      let start = 2 + index * count
      #expect(
        relativeError(
          gradients(of: loss, withRespectTo: [y])[0].scalars,
          Array(expected[start..<start + count])) < 1e-3)
    }
  }
}
