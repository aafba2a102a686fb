import Tensors
import Testing
import Training

@Suite struct ExponentialMovingAverageTests {
  @Test func theFirstStepsAreForgottenFaster() {
    var model = SampleModel(weight: Tensor(zeros: [1, 1]), bias: Tensor(zeros: [1]))
    var average = ExponentialMovingAverage(of: model, decay: 0.999)
    #expect(average.nextDecay == 0.1)
    model.bias = Tensor([1], shape: [1])
    average.update(with: model)
    #expect(average.averages[biasPath]?.scalars == [0.9])
    #expect(average.nextDecay == 2.0 / 11)
    average.updateCount = 1_000_000
    #expect(average.nextDecay == 0.999)
  }

  @Test func anEmptyMeanStartsWithWhatItSees() {
    let model = SampleModel(weight: Tensor([5], shape: [1, 1]), bias: Tensor([7], shape: [1]))
    var average = ExponentialMovingAverage(decay: 0.9)
    average.update(with: model)
    var other = SampleModel(weight: Tensor(zeros: [1, 1]), bias: Tensor(zeros: [1]))
    average.apply(to: &other)
    #expect(other.weight.scalars == [5] && other.bias.scalars == [7])
  }
}
