import Tensors
import TestSupport
import Testing
import Training

@Suite struct ClassificationLossesTests {
  private let logits = sampleTensor([5, 3])
  private let labels = [2, 0, 1, 1, 0]

  @Test func gradientsAreThoseOfFiniteDifferences() {
    let error = gradientError(at: [logits]) {
      ClassificationLosses.crossEntropy($0[0], labels: labels)
    }
    #expect(error < 2e-3)
  }

  @Test func equalNumbersCostTheLogarithmOfTheClassCount() {
    let loss = ClassificationLosses.crossEntropy(Tensor(zeros: [2, 4]), labels: [3, 1])
    #expect(abs(loss.scalars[0] - 1.3862944) < 1e-6)
  }

  @Test func largeNumbersDontOverflow() {
    let large = Tensor([1000, 0, -1000, 0, 1000, 500], shape: [2, 3]).tracked()
    let loss = ClassificationLosses.crossEntropy(large, labels: [0, 2])
    // 0 for the first, 500 for the second.
    #expect(abs(loss.scalars[0] - 250) < 1e-3)
    let gradient = gradients(of: loss, withRespectTo: [large])[0].scalars
    #expect(relativeError(gradient, [0, 0, 0, 0, 0.5, -0.5]) < 1e-6)
  }

  @Test(.enabled(if: TorchReference.isAvailable, Comment(rawValue: TorchReference.absence)))
  func valueAndGradientAreThoseOfPyTorch() throws {
    let tracked = logits.tracked()
    let loss = ClassificationLosses.crossEntropy(tracked, labels: labels)
    let found = loss.scalars + gradients(of: loss, withRespectTo: [tracked])[0].scalars
    let expected = try TorchReference.numbers(
      """
      loss = F.cross_entropy(a, torch.tensor([2, 0, 1, 1, 0]))
      loss.backward()
      torch.cat([loss.reshape(1), a.grad.flatten()])
      """, [logits])
    #expect(relativeError(found, expected) < 1e-6)
  }
}
