import Tensors
import Testing
import Training

@Suite struct GradientClippingTests {
  @Test func longGradientsAreScaledAndShortOnesStay() {
    let clipping = GradientClipping(maximumNorm: 2)
    #expect(clipping.scale(forNorm: 1.5) == 1)
    #expect(abs(clipping.scale(forNorm: 8) - 0.25) < 1e-6)
    #expect(clipping.scale(forNorm: .infinity).isNaN && clipping.scale(forNorm: .nan).isNaN)
  }

  @Test func theNormIsThatOfAllGradients() {
    let model = SampleModel(weight: Tensor(zeros: [2, 2]), bias: Tensor(zeros: [1]))
    let gradient = [
      weightPath: Tensor(repeating: 2, shape: [2, 2]), biasPath: Tensor([3], shape: [1]),
    ]
    #expect(GradientClipping.norm(over: model) { gradient[$0] } == 5)
    #expect(GradientClipping.norm(over: model) { $0 == biasPath ? gradient[$0] : nil } == 3)
    // In float32 the small ones would be lost beside the large one.
    let many = SampleModel(weight: Tensor(zeros: [1]), bias: Tensor(zeros: [100_000]))
    let uneven = [
      weightPath: Tensor([1e4], shape: [1]), biasPath: Tensor(repeating: 1, shape: [100_000]),
    ]
    #expect(GradientClipping.norm(over: many) { uneven[$0] } == (1e8 + 1e5).squareRoot())
  }

  @Test(arguments: [0, 1, 7, 8, 9, 15, 16, 17, 31, 33, 32_768, 32_769])
  func everyNumberCounts(count: Int) {
    let model = SampleModel(weight: Tensor(zeros: [count]), bias: Tensor(zeros: [0]))
    let ones = Tensor(repeating: 1, shape: [count])
    let norm = GradientClipping.norm(over: model) { $0 == weightPath ? ones : nil }
    #expect(abs(norm * norm - Double(count)) <= 1e-9 * Double(count))
  }
}
