import Tensors
import TestSupport
import Testing

struct ConvolutionTests {
  struct Case: CustomTestStringConvertible {
    var input: Shape
    var weight: Shape
    var stride = 1
    var padding = ConvolutionPadding(1)
    var upsampling = false

    var testDescription: String {
      "\(input) with \(weight), stride \(stride), upsampling \(upsampling)"
    }
  }

  static let cases: [Case] = [
    Case(input: [1, 1, 1, 1], weight: [3, 3, 1, 1]),
    Case(input: [2, 7, 9, 3], weight: [3, 3, 3, 5]),
    Case(input: [1, 33, 31, 17], weight: [3, 3, 17, 33]),
    Case(input: [3, 8, 6, 16], weight: [1, 1, 16, 7], padding: ConvolutionPadding(0)),
    Case(
      input: [1, 15, 17, 8], weight: [3, 3, 8, 8], stride: 2,
      padding: ConvolutionPadding(top: 0, left: 0, bottom: 1, right: 1)),
    Case(input: [1, 9, 16, 8], weight: [3, 3, 8, 12], stride: 2),
    Case(input: [2, 5, 7, 6], weight: [3, 3, 6, 4], upsampling: true),
    Case(input: [1, 40, 40, 64], weight: [3, 3, 64, 64]),
    Case(input: [1, 6, 6, 4], weight: [4, 4, 4, 4], stride: 2),
  ]

  @Test(arguments: cases)
  func isTheSumOfProducts(_ test: Case) {
    let x = sampleTensor(test.input, seed: 1)
    let weight = sampleTensor(test.weight, seed: 2)
    let bias = sampleTensor([test.weight[3]], seed: 3)
    let found = x.conv2d(
      weight, bias: bias, stride: test.stride, padding: test.padding, upsampling: test.upsampling)
    let expected = referenceConvolution(x, weight, bias, test)
    #expect(relativeError(found.scalars, expected) < 2e-6)
  }

  @Test(arguments: cases)
  func addsTheResidualBeforeTheActivation(_ test: Case) {
    let x = sampleTensor(test.input, seed: 1)
    let weight = sampleTensor(test.weight, seed: 2)
    let plain = x.conv2d(
      weight, stride: test.stride, padding: test.padding, upsampling: test.upsampling)
    let residual = sampleTensor(plain.shape, seed: 4)
    for activation in [Activation.relu, .silu] {
      let found = x.conv2d(
        weight, stride: test.stride, padding: test.padding, upsampling: test.upsampling,
        residual: residual, activation: activation)
      let expected = zip(plain.scalars, residual.scalars).map { plain, residual in
        let sum = Double(plain) + Double(residual)
        return Float(activation == .relu ? max(sum, 0) : sum / (1 + exponential(-sum)))
      }
      #expect(relativeError(found.scalars, expected) < 2e-6)
    }
  }

  @Test func upsamplingIsNearestNeighbour() {
    let x = sampleTensor([2, 5, 3, 6])
    let weight = sampleTensor([3, 3, 6, 4], seed: 2)
    let padding = ConvolutionPadding(1)
    let found = x.conv2d(weight, padding: padding, upsampling: true)
    let expected = x.upsampledNearest2x().conv2d(weight, padding: padding)
    #expect(relativeError(found, expected) < 2e-6)
  }

  @Test(arguments: [(4, 2, 1), (3, 1, 1), (2, 2, 0), (3, 2, 1), (5, 3, 2), (1, 2, 0)])
  func transposedIsTheAdjointOfTheConvolution(_ sizes: (kernel: Int, stride: Int, padding: Int)) {
    // ⟨conv(x), y⟩ = ⟨x, convᵀ(y)⟩ for all x and y defines the transposed convolution.
    let (kernel, stride, padding) = sizes
    let y = sampleTensor([2, 4, 5, 3], seed: 1)
    let weight = sampleTensor([kernel, kernel, 3, 6], seed: 2)
    let found = y.convTranspose2d(weight, stride: stride, padding: padding)
    let x = sampleTensor(found.shape, seed: 3)
    let adjoint = swappingChannels(weight)
    let forward = x.conv2d(adjoint, stride: stride, padding: ConvolutionPadding(padding))
    #expect(forward.shape == y.shape)
    let left = dot(forward.scalars, y.scalars)
    let right = dot(x.scalars, found.scalars)
    #expect(abs(left - right) < 1e-5 * max(1, abs(left)))
  }

  @Test func aSinglePixelSpreadsTheKernelOut() {
    let weight = sampleTensor([4, 4, 1, 1], seed: 2)
    let x = Tensor([2], shape: [1, 1, 1, 1])
    let bias = Tensor([0.5], shape: [1])
    let found = x.convTranspose2d(weight, bias: bias, stride: 2, padding: 1)
    let w = weight.scalars
    #expect(found.shape == [1, 2, 2, 1])
    #expect(
      relativeError(
        found.scalars, [w[5], w[6], w[9], w[10]].map { 2 * $0 + 0.5 }) < 1e-6)
  }

  @Test func linearIsAMatrixProduct() {
    let x = sampleTensor([2, 3, 4], seed: 1)
    let weight = sampleTensor([4, 5], seed: 2)
    let bias = sampleTensor([5], seed: 3)
    let (xs, ws, bs) = (x.scalars, weight.scalars, bias.scalars)
    let expected = (0..<30).map { index in
      let (row, column) = (index / 5, index % 5)
      return (0..<4).reduce(bs[column]) { $0 + xs[row * 4 + $1] * ws[$1 * 5 + column] }
    }
    let found = x.linear(weight, bias: bias)
    #expect(found.shape == [2, 3, 5])
    #expect(relativeError(found.scalars, expected) < 1e-6)
  }

  @Test(arguments: cases)
  func theNumberOfThreadsDoesNotMatter(_ test: Case) {
    let x = sampleTensor(test.input, seed: 1)
    let weight = sampleTensor(test.weight, seed: 2)
    let results = [1, 2, 3, 5].map { count in
      ThreadPool.$current.withValue(ThreadPool(threadCount: count)) {
        x.conv2d(
          weight, stride: test.stride, padding: test.padding, upsampling: test.upsampling
        ).scalars
      }
    }
    #expect(results.allSatisfy { $0 == results[0] })
  }
}

private func dot(_ x: [Float], _ y: [Float]) -> Double {
  zip(x, y).reduce(0) { $0 + Double($1.0) * Double($1.1) }
}

/// The kernel `[kh, kw, A, B]` as `[kh, kw, B, A]`.
private func swappingChannels(_ weight: Tensor) -> Tensor {
  let (height, width, a, b) = (weight.shape[0], weight.shape[1], weight.shape[2], weight.shape[3])
  let scalars = weight.scalars
  return Tensor(
    (0..<scalars.count).map { index in
      let (tap, i, j) = (index / (a * b), index / a % b, index % a)
      return scalars[(tap * a + j) * b + i]
    }, shape: [height, width, b, a])
}

/// The definition, in double precision.
private func referenceConvolution(
  _ x: Tensor, _ weight: Tensor, _ bias: Tensor, _ test: ConvolutionTests.Case
) -> [Float] {
  let scale = test.upsampling ? 2 : 1
  let (height, width, inputs) = (x.shape[1] * scale, x.shape[2] * scale, x.shape[3])
  let (kh, kw, outputs) = (weight.shape[0], weight.shape[1], weight.shape[3])
  let padding = test.padding
  let rows = (height + padding.top + padding.bottom - kh) / test.stride + 1
  let columns = (width + padding.left + padding.right - kw) / test.stride + 1
  let (xs, ws, bs) = (x.scalars, weight.scalars, bias.scalars)
  var result: [Float] = []
  for image in 0..<x.shape[0] {
    for row in 0..<rows {
      for column in 0..<columns {
        var sums = bs.map(Double.init)
        for ky in 0..<kh {
          for kx in 0..<kw {
            let y = row * test.stride + ky - padding.top
            let x = column * test.stride + kx - padding.left
            guard y >= 0, y < height, x >= 0, x < width else { continue }
            let pixel = (image * height / scale + y / scale) * (width / scale) + x / scale
            for input in 0..<inputs {
              let value = Double(xs[pixel * inputs + input])
              let start = ((ky * kw + kx) * inputs + input) * outputs
              for output in 0..<outputs { sums[output] += value * Double(ws[start + output]) }
            }
          }
        }
        result += sums.map(Float.init)
      }
    }
  }
  return result
}
