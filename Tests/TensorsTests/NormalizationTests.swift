import Tensors
import TestSupport
import Testing

struct NormalizationTests {
  @Test(arguments: [(1, 16, 2), (7, 6, 3), (64, 32, 32), (1000, 24, 8), (4099, 64, 4)])
  func eachGroupHasMeanZeroAndVarianceOne(_ sizes: (pixels: Int, channels: Int, groups: Int)) {
    let (pixels, channels, groups) = sizes
    // Far from zero, so that a careless variance would cancel.
    let x = sampleTensor([2, pixels, 1, channels]).affine(scale: 1, offset: 50)
    let weight = sampleTensor([channels], seed: 2)
    let bias = sampleTensor([channels], seed: 3)
    for activation in [Activation.identity, .silu, .relu] {
      let found = x.groupNorm(
        GroupNormalization(
          groups: groups, weight: weight, bias: bias, epsilon: 1e-6, activation: activation))
      let expected = reference(x, groups, weight, bias, activation)
      #expect(relativeError(found.scalars, expected) < 2e-5)
    }
  }

  /// An offset is that of the pixels, scales and shifts are those of the result.
  @Test(arguments: [(1, 16, 2), (7, 6, 3), (600, 24, 8), (33, 1040, 4)])
  func conditionsAreStepsOfTheirOwn(_ sizes: (pixels: Int, channels: Int, groups: Int)) {
    let (pixels, channels, groups) = sizes
    let x = sampleTensor([2, pixels, 1, channels])
    let weight = sampleTensor([channels], seed: 2)
    let bias = sampleTensor([channels], seed: 3)
    func normalized(_ x: Tensor, _ condition: GroupNormCondition?) -> Tensor {
      x.groupNorm(
        GroupNormalization(
          groups: groups, weight: weight, bias: bias, epsilon: 1e-6, condition: condition))
    }
    let offset = sampleTensor([2, channels], seed: 4) * 3
    let shifted = x.modulated(offset: offset.reshaped(to: [2, 1, 1, channels]))
    #expect(relativeError(normalized(x, .offset(offset)), normalized(shifted, nil)) < 2e-5)
    let both = sampleTensor([2, 2 * channels], seed: 5)
    let small: Shape = [2, 1, 1, channels]
    let expected = normalized(x, nil).modulated(
      scale: both.channels(0..<channels).reshaped(to: small) + 1,
      offset: both.channels(channels..<2 * channels).reshaped(to: small))
    #expect(relativeError(normalized(x, .scaleShift(both)), expected) < 2e-5)
  }

  @Test func theNumberOfThreadsDoesNotMatter() {
    let x = sampleTensor([2, 33, 31, 48])
    let ones = Tensor(repeating: 1, shape: [48])
    let results = [1, 2, 3, 5].map { count in
      ThreadPool.$current.withValue(ThreadPool(threadCount: count)) {
        x.groupNorm(
          GroupNormalization(groups: 16, weight: ones, bias: ones, epsilon: 1e-6)
        ).scalars
      }
    }
    #expect(results.allSatisfy { $0 == results[0] })
  }
}

private func reference(
  _ x: Tensor, _ groups: Int, _ weight: Tensor, _ bias: Tensor, _ activation: Activation
) -> [Float] {
  let channels = x.shape[-1]
  let pixels = x.shape.scalarCount / x.shape[0] / channels
  let width = channels / groups
  let (xs, ws, bs) = (x.scalars, weight.scalars, bias.scalars)
  var result = [Float](repeating: 0, count: xs.count)
  for image in 0..<x.shape[0] {
    for group in 0..<groups {
      let indices = (0..<pixels * width).map {
        (image * pixels + $0 / width) * channels + group * width + $0 % width
      }
      let count = Double(indices.count)
      let mean = indices.reduce(0.0) { $0 + Double(xs[$1]) } / count
      let variance =
        indices.reduce(0.0) {
          $0 + (Double(xs[$1]) - mean) * (Double(xs[$1]) - mean)
        } / count
      for index in indices {
        let value =
          (Double(xs[index]) - mean) / (variance + 1e-6).squareRoot()
          * Double(ws[index % channels]) + Double(bs[index % channels])
        result[index] =
          switch activation {
          case .identity: Float(value)
          case .relu: Float(max(value, 0))
          case .silu: Float(value / (1 + exponential(-value)))
          }
      }
    }
  }
  return result
}
