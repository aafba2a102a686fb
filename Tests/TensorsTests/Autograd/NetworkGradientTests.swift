import Tensors
import TestSupport
import Testing

/// Every operation against central differences, whose own error is about 1e-4.
struct NetworkGradientTests {
  struct Form: Sendable {
    var inputs = 5
    var outputs = 6
    var kernel = 3
    var stride = 1
    var padding = ConvolutionPadding(1)
    var upsampling = false
    var size = (7, 6)
  }

  static let forms = [
    Form(), Form(inputs: 17, outputs: 33, size: (9, 10)), Form(inputs: 3, outputs: 16),
    Form(kernel: 1, padding: ConvolutionPadding(0)), Form(padding: ConvolutionPadding(0)),
    Form(kernel: 5, padding: ConvolutionPadding(2)), Form(upsampling: true),
    Form(kernel: 5, padding: ConvolutionPadding(2), upsampling: true),
    Form(
      stride: 2, padding: ConvolutionPadding(top: 0, left: 0, bottom: 1, right: 1), size: (8, 6)),
    Form(stride: 2, padding: ConvolutionPadding(top: 0, left: 0, bottom: 1, right: 1)),
    Form(stride: 2), Form(stride: 2, size: (8, 8)), Form(kernel: 4, stride: 2, size: (8, 6)),
    Form(kernel: 3, stride: 3, padding: ConvolutionPadding(0)),
    Form(kernel: 1, stride: 2, padding: ConvolutionPadding(0)), Form(kernel: 4, stride: 1),
  ]

  @Test(arguments: forms.indices)
  func convolutions(_ index: Int) {
    let form = Self.forms[index]
    let x = sampleTensor([2, form.size.0, form.size.1, form.inputs], seed: 1)
    let weight = sampleTensor([form.kernel, form.kernel, form.inputs, form.outputs], seed: 2) * 0.3
    let bias = sampleTensor([form.outputs], seed: 3)
    #expect(
      gradientError(at: [x, weight, bias]) {
        $0[0].conv2d(
          $0[1], bias: $0[2], stride: form.stride, padding: form.padding,
          upsampling: form.upsampling)
      } < 1e-3)
  }

  @Test(arguments: [Activation.identity, .silu, .relu])
  func convolutionsWithAllThatIsFused(_ activation: Activation) {
    let x = sampleTensor([2, 6, 5, 8], seed: 1)
    let weight = sampleTensor([3, 3, 8, 4], seed: 2) * 0.3
    let residual = sampleTensor([2, 6, 5, 4], seed: 4) + 0.01
    let others = [
      weight, sampleTensor([4], seed: 3), residual, sampleTensor([8], seed: 5) + 2,
      sampleTensor([8], seed: 6),
    ]
    // ReLU behind and before has kinks, which differences blur: a small step for it.
    let step: Float = activation == .relu ? 0x1p-11 : 0x1p-6
    let error = gradientError(at: [x] + others, step: step) {
      $0[0].conv2d(
        $0[1], bias: $0[2], padding: ConvolutionPadding(1),
        normalization: GroupNormalization(
          groups: 2, weight: $0[4], bias: $0[5], epsilon: 1e-5, activation: .silu),
        residual: $0[3], activation: activation)
    }
    #expect(error < (activation == .relu ? 2e-2 : 2e-3))
  }

  @Test func transposedConvolutions() {
    let x = sampleTensor([2, 5, 4, 6], seed: 1)
    let bias = sampleTensor([3], seed: 3)
    for (kernel, stride, padding) in [(4, 2, 1), (3, 2, 1), (3, 1, 1), (2, 3, 0)] {
      let weight = sampleTensor([kernel, kernel, 6, 3], seed: 2)
      #expect(
        gradientError(at: [x, weight, bias]) {
          $0[0].convTranspose2d($0[1], bias: $0[2], stride: stride, padding: padding)
        } < 1e-3)
    }
  }

  @Test(arguments: [(1, 16, 2), (7, 6, 3), (64, 32, 32), (600, 24, 8)])
  func normalizations(_ sizes: (pixels: Int, channels: Int, groups: Int)) {
    let x = sampleTensor([2, sizes.pixels, 1, sizes.channels], seed: 1)
    let parameters = [sampleTensor([sizes.channels], seed: 2), sampleTensor([sizes.channels])]
    for activation in [Activation.identity, .silu] {
      #expect(
        gradientError(at: [x] + parameters) {
          $0[0].groupNorm(
            GroupNormalization(
              groups: sizes.groups, weight: $0[1], bias: $0[2], epsilon: 1e-3,
              activation: activation))
        } < 2e-3)
    }
  }

  @Test(arguments: [(1, 16, 2), (7, 6, 3), (600, 24, 8)])
  func conditionedNormalizations(_ sizes: (pixels: Int, channels: Int, groups: Int)) {
    let channels = sizes.channels
    let x = sampleTensor([2, sizes.pixels, 1, channels], seed: 1)
    let parameters = [sampleTensor([channels], seed: 2), sampleTensor([channels])]
    let kernel = sampleTensor([1, 1, channels, 4], seed: 6)
    for isOffset in [true, false] {
      let condition = sampleTensor([2, isOffset ? channels : 2 * channels], seed: 5)
      for fused in [false, true] {
        let error = gradientError(at: [x] + parameters + [condition]) {
          let normalization = GroupNormalization(
            groups: sizes.groups, weight: $0[1], bias: $0[2], epsilon: 1e-3, activation: .silu,
            condition: isOffset ? .offset($0[3]) : .scaleShift($0[3]))
          return fused
            ? $0[0].conv2d(kernel, normalization: normalization) : $0[0].groupNorm(normalization)
        }
        #expect(error < 2e-3, "\(isOffset) \(fused)")
      }
    }
  }

  @Test(arguments: [(1, 5, 5, 1), (2, 150, 40, 2), (1, 300, 300, 1), (3, 9, 17, 4)])
  func attentions(_ sizes: (images: Int, queries: Int, keys: Int, heads: Int)) {
    let queries = sampleTensor([sizes.images, sizes.queries, 8], seed: 1) * 2
    let keys = sampleTensor([sizes.images, sizes.keys, 8], seed: 2) * 2
    let values = sampleTensor([sizes.images, sizes.keys, 8], seed: 3)
    #expect(
      gradientError(at: [queries, keys, values]) {
        $0[0].attention(keys: $0[1], values: $0[2], heads: sizes.heads)
      } < 2e-3)
  }

  @Test func chainsOfConvolutions() {
    let x = sampleTensor([1, 6, 5, 4], seed: 1)
    let weights = (2..<5).map { sampleTensor([3, 3, 4, 4], seed: $0) * 0.3 }
    let error = gradientError(at: [x] + weights, step: 0x1p-11) { tensors in
      tensors[0].residualConvolutions(
        tensors.dropFirst().map { ChainedConvolution(weight: $0, bias: nil) }, activation: .relu)
    }
    #expect(error < 2e-2)
  }
}
