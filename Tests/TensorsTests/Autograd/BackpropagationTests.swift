import Tensors
import TestSupport
import Testing

struct BackpropagationTests {
  private let x = sampleTensor([2, 6, 6, 8], seed: 1).tracked()
  private let weight = (sampleTensor([3, 3, 8, 8], seed: 2) * 0.3).tracked()
  private let ones = Tensor(repeating: 1, shape: [8])

  /// A block that uses its input three times.
  private func block(_ x: Tensor, _ weight: Tensor) -> Tensor {
    let norm = GroupNormalization(
      groups: 2, weight: ones, bias: ones, epsilon: 1e-5, activation: .silu)
    let hidden = x.conv2d(
      weight, padding: ConvolutionPadding(1), normalization: norm, residual: x)
    return hidden.conv2d(weight, padding: ConvolutionPadding(1)) + x
  }

  @Test func nothingIsRecordedWithoutTrackedTensors() {
    #expect(!block(x.detached(), weight.detached()).isRecorded)
    #expect(block(x.detached(), weight).isRecorded)
    #expect(!withoutRecording { block(x, weight) }.isRecorded)
    #expect(!(x * 2).detached().isRecorded)
  }

  @Test func aDetachedFactorIsAConstant() {
    let found = gradients(of: (x * x.detached()).sum(), withRespectTo: [x])[0]
    #expect(found.scalars == x.scalars)
    let none = gradients(
      of: (x.detached() * weight.sum().expandedToImages(x.shape)).sum(), withRespectTo: [x])
    #expect(none[0].scalars.allSatisfy { $0 == 0 } && none[0].shape == x.shape)
  }

  @Test func gradientsOfWhatLiesBetweenCanBeTaken() {
    let middle = x * 3
    let loss = (middle * middle).sum()
    let found = gradients(of: loss, withRespectTo: [middle, x], keepingRecording: true)
    #expect(relativeError(found[0], x.detached() * 6) < 1e-6)
    #expect(relativeError(found[1], x.detached() * 18) < 1e-6)
    let again = gradients(of: loss, withRespectTo: [x])
    #expect(again[0].scalars == found[1].scalars)
  }

  @Test func theNumberOfThreadsDoesNotMatter() {
    let results = [1, 2, 3, 3].map { count in
      ThreadPool.$current.withValue(ThreadPool(threadCount: count)) {
        gradients(of: block(x, weight).squared().mean(), withRespectTo: [x, weight])
          .map(\.scalars)
      }
    }
    #expect(results.allSatisfy { $0 == results[0] })
  }

  @Test func checkpointsChangeNoBit() {
    let (x, weight, ones) = (x, weight, ones)
    let step: @Sendable (Tensor) -> Tensor = { input in
      let norm = GroupNormalization(
        groups: 2, weight: ones, bias: ones, epsilon: 1e-5, activation: .silu)
      return input.conv2d(
        weight, padding: ConvolutionPadding(1), normalization: norm, residual: input)
    }
    func found(_ call: (Tensor) -> Tensor) -> [[Float]] {
      let loss = call(call(x * 2)).squared().mean()
      return [loss.scalars]
        + gradients(of: loss, withRespectTo: [x, weight]).map(\.scalars)
    }
    let plain = found(step)
    #expect(found { input in checkpointed { step(input) } } == plain)
    #expect(found { input in checkpointed { checkpointed { step(input) } } } == plain)
  }

  @Test func aCheckpointOfConstantsIsAConstant() {
    let constant = x.detached()
    #expect(!checkpointed { constant * 2 }.isRecorded)
  }

  @Test func deepRecordingsAreGoneThrough() {
    var y = Tensor([1], shape: [1]).tracked()
    let start = y
    for _ in 0..<20_000 { y = y + 1 }
    #expect(gradients(of: y, withRespectTo: [start])[0].scalars == [1])
  }
}

extension Tensor {
  /// A scalar as a tensor of another shape.
  fileprivate func expandedToImages(_ shape: Shape) -> Tensor {
    reshaped(to: Shape(shape.dimensions.map { _ in 1 })).expanded(to: shape)
  }
}
