import Tensors
import TestSupport
import Testing

/// Pictures that are large enough to be computed in bands, against the same without bands.
struct BandedConvolutionTests {
  @Test(arguments: [[1, 300, 260, 64], [1, 129, 1024, 48], [1, 61, 1500, 64]])
  func aResidualBlockInBandsIsTheSameBlock(_ dimensions: [Int]) {
    let x = sampleTensor(Shape(dimensions), seed: 1)
    let channels = x.shape[3]
    let convolutions = (0..<3).map { (index: UInt64) -> ChainedConvolution in
      let weight = sampleTensor([3, 3, channels, channels], seed: 10 + index)
      let bias = index == 1 ? nil : sampleTensor([channels], seed: 20 + index)
      return ChainedConvolution(weight: weight.affine(scale: 0.1, offset: 0), bias: bias)
    }
    let found = x.residualConvolutions(convolutions, activation: .relu)
    // Again in memory of its own, which it may overwrite.
    let inPlace = sampleTensor(x.shape, seed: 1)
      .residualConvolutions(convolutions, activation: .relu)
    #expect(inPlace.scalars == found.scalars)
    // Halves of the width are too small for bands.
    let columns = x.shape[2] / 4
    let part = x.columns(0..<columns + 3).residualConvolutions(convolutions, activation: .relu)
    #expect(
      relativeError(found.columns(0..<columns), part.columns(0..<columns)) < 3e-6)
  }

  @Test func aNormalisedConvolutionInBandsIsTheSameConvolution() {
    let x = sampleTensor([1, 150, 300, 128], seed: 1)
    let normalization = GroupNormalization(
      groups: 32, weight: sampleTensor([128], seed: 2), bias: sampleTensor([128], seed: 3),
      epsilon: 1e-6, activation: .silu)
    let weight = sampleTensor([3, 3, 128, 32], seed: 4)
    let residual = sampleTensor([1, 150, 300, 32], seed: 5)
    let found = x.conv2d(
      weight, padding: ConvolutionPadding(1), normalization: normalization, residual: residual)
    let expected = x.groupNorm(normalization)
      .conv2d(weight, padding: ConvolutionPadding(1), residual: residual)
    #expect(relativeError(found, expected) < 2e-6)
    let inPlace = x.conv2d(
      weight, padding: ConvolutionPadding(1), normalization: normalization,
      residual: sampleTensor([1, 150, 300, 32], seed: 5))
    #expect(inPlace.scalars == found.scalars)
  }

  @Test func fewerChannelsInTheMemoryOfMore() {
    let weight = sampleTensor([1, 1, 160, 72], seed: 2)
    let bias = sampleTensor([72], seed: 3)
    let shape: Shape = [1, 330, 331, 160]
    let x = sampleTensor(shape, seed: 1)
    let expected = x.conv2d(weight, bias: bias)
    let found = sampleTensor(shape, seed: 1).conv2d(weight, bias: bias)
    #expect(relativeError(found, expected) < 1e-6)
    #expect(relativeError(x, sampleTensor(shape, seed: 1)) == 0, "x is held and must not change")
  }

  @Test func theNumberOfThreadsDoesNotMatter() {
    let x = sampleTensor([1, 300, 260, 64], seed: 1)
    let convolution = ChainedConvolution(
      weight: sampleTensor([3, 3, 64, 64], seed: 2), bias: nil)
    let results = [1, 2, 5].map { count in
      ThreadPool.$current.withValue(ThreadPool(threadCount: count)) {
        x.residualConvolutions([convolution, convolution], activation: .relu).scalars
      }
    }
    #expect(results.allSatisfy { $0 == results[0] })
  }
}

extension Tensor {
  /// Some columns of a picture.
  fileprivate func columns(_ range: Range<Int>) -> Tensor {
    let (rows, columns, channels) = (shape[1], shape[2], shape[3])
    return reshaped(to: [rows, columns * channels])
      .channels(range.lowerBound * channels..<range.upperBound * channels)
      .reshaped(to: [1, rows, range.count, channels])
  }
}
