import Foundation
import Layers
import TestSupport
import Tensors
import Testing
import Training

@Suite struct AdamWTests {
  private struct Golden: Decodable {
    var lr, eps, weight_decay, ema_decay, clip_norm: Double
    var betas: [Double]
    var `init`: [Float]
    var grads, params, ema: [[Float]]
    var grad_norms: [Double]
  }

  /// Six steps of PyTorch 2.13 on 8 numbers, all decaying, with `clip_grad_norm_` and a running mean.
  @Test(.enabled(if: SharedFiles.exist, Comment(rawValue: SharedFiles.absence)))
  func stepsAreThoseOfPyTorch() throws {
    let golden = try JSONDecoder().decode(
      Golden.self, from: Data(contentsOf: SharedFiles.url("golden/adamw.json")))
    var settings = AdamW.Settings()
    (settings.beta1, settings.beta2) = (golden.betas[0], golden.betas[1])
    (settings.epsilon, settings.weightDecay) = (golden.eps, golden.weight_decay)
    settings.decaysNormsAndBiases = true
    var optimizer = AdamW(settings)
    var model = SampleModel(
      weight: Tensor(Array(golden.`init`.prefix(6)), shape: [2, 3]),
      bias: Tensor(Array(golden.`init`.suffix(2)), shape: [2]))
    var average = ExponentialMovingAverage(of: model, decay: golden.ema_decay, warmsUp: false)
    let clipping = GradientClipping(maximumNorm: golden.clip_norm)
    for step in golden.grads.indices {
      let gradient: [ParameterPath: Tensor] = [
        weightPath: Tensor(Array(golden.grads[step].prefix(6)), shape: [2, 3]),
        biasPath: Tensor(Array(golden.grads[step].suffix(2)), shape: [2]),
      ]
      let norm = GradientClipping.norm(over: model) { gradient[$0] }
      #expect(abs(norm - golden.grad_norms[step]) < 1e-6)
      optimizer.update(
        &model, learningRate: golden.lr, gradientScale: clipping.scale(forNorm: norm)
      ) { gradient[$0] }
      average.update(with: model)
      // float32 with 9 digits, in another order of operations
      let found = model.weight.scalars + model.bias.scalars
      #expect(relativeError(found, golden.params[step]) < 3e-7)
      var averaged = model
      average.apply(to: &averaged)
      #expect(
        relativeError(averaged.weight.scalars + averaged.bias.scalars, golden.ema[step]) < 3e-7)
    }
    #expect(optimizer.stepCount == 6)
  }

  @Test func normsAndBiasesDoNotDecayUnlessAsked() {
    var settings = AdamW.Settings()
    settings.weightDecay = 0.5
    var model = SampleModel(
      weight: Tensor(repeating: 2, shape: [3, 3]), bias: Tensor(repeating: 2, shape: [3]))
    var optimizer = AdamW(settings)
    let zeros = [weightPath: Tensor(zeros: [3, 3]), biasPath: Tensor(zeros: [3])]
    optimizer.update(&model, learningRate: 0.1) { zeros[$0] }
    #expect(model.weight.scalars == Array(repeating: 2 * Float(0.95), count: 9))
    #expect(model.bias.scalars == [2, 2, 2])
    settings.decaysNormsAndBiases = true
    var other = AdamW(settings)
    other.update(&model, learningRate: 0.1) { zeros[$0] }
    #expect(model.bias.scalars == Array(repeating: 2 * Float(0.95), count: 3))
  }

  @Test func aParameterWithoutGradientStays() {
    var model = SampleModel(
      weight: Tensor(repeating: 1, shape: [2, 2]), bias: Tensor(repeating: 1, shape: [2]))
    var optimizer = AdamW()
    optimizer.update(&model, learningRate: 0.1) {
      $0 == weightPath ? Tensor(repeating: 1, shape: [2, 2]) : nil
    }
    #expect(model.bias.scalars == [1, 1])
    #expect(model.weight.scalars.allSatisfy { $0 < 0.95 })
    #expect(optimizer.moments[biasPath] == nil && optimizer.moments[weightPath] != nil)
  }

  @Test func aCopyGoesOnWithTheSameNumbers() {
    var model = SampleModel(weight: sampleTensor([5, 7]), bias: sampleTensor([7], seed: 2))
    func gradient(_ seed: UInt64) -> (ParameterPath) -> Tensor? {
      { $0 == weightPath ? sampleTensor([5, 7], seed: seed) : sampleTensor([7], seed: seed + 9) }
    }
    var optimizer = AdamW()
    optimizer.update(&model, learningRate: 0.1, along: gradient(3))
    var (otherModel, otherOptimizer) = (model, optimizer)
    optimizer.update(&model, learningRate: 0.1, along: gradient(4))
    otherOptimizer.update(&otherModel, learningRate: 0.1, along: gradient(4))
    #expect(model.weight.scalars == otherModel.weight.scalars)
  }

  @Test(arguments: [1, 2, 5])
  func threadsDoNotChangeBits(threads: Int) {
    func result(_ threads: Int) -> ([Float], Double, [Float]) {
      ThreadPool.$current.withValue(ThreadPool(threadCount: threads)) {
        var model = SampleModel(
          weight: sampleTensor([331, 407]), bias: sampleTensor([70_001], seed: 2))
        let gradient = [
          weightPath: sampleTensor([331, 407], seed: 3), biasPath: sampleTensor([70_001], seed: 4),
        ]
        var optimizer = AdamW()
        var average = ExponentialMovingAverage(of: model, decay: 0.9)
        for _ in 0..<3 { optimizer.update(&model, learningRate: 0.01) { gradient[$0] } }
        average.update(with: model)
        return (
          model.weight.scalars + model.bias.scalars,
          GradientClipping.norm(over: model) { gradient[$0] },
          average.averages[biasPath]?.scalars ?? []
        )
      }
    }
    let (one, many) = (result(3), result(threads))
    #expect(one.0 == many.0 && one.1 == many.1 && one.2 == many.2)
  }
}
