import Tensors

/// A convolution that the models have, at the size that it has there.
package struct LayerBenchmark: Sendable {
  /// `3x3.512@64`: kernel, channels, side.
  package let name: String
  let side, inputs, outputs, kernel, stride: Int
  let padding: ConvolutionPadding
  let upsampling: Bool

  private init(
    _ name: String, _ side: Int, _ inputs: Int, _ outputs: Int, kernel: Int = 3, stride: Int = 1,
    padding: ConvolutionPadding? = nil, upsampling: Bool = false
  ) {
    self.name = name
    self.side = side
    self.inputs = inputs
    self.outputs = outputs
    self.kernel = kernel
    self.stride = stride
    self.padding = padding ?? ConvolutionPadding(kernel / 2)
    self.upsampling = upsampling
  }

  /// The layers of Stable Diffusion's autoencoder and of TAESD, the large ones at a smaller side.
  package static let all: [LayerBenchmark] = [
    .init("3x3.64@64", 64, 64, 64),
    .init("3x3.64@256", 256, 64, 64),
    .init("3x3.64@512", 512, 64, 64),
    .init("3x3.128@256", 256, 128, 128),
    .init("3x3.256-128@256", 256, 256, 128),
    .init("3x3.256@128", 128, 256, 256),
    .init("3x3.512@32", 32, 512, 512),
    .init("3x3.512@64", 64, 512, 512),
    .init("3x3.512@128", 128, 512, 512),
    .init("up-3x3.64@128", 128, 64, 64, upsampling: true),
    .init("up-3x3.512@64", 64, 512, 512, upsampling: true),
    .init("3x3-stride2.64@256", 256, 64, 64, stride: 2),
    .init(
      "3x3-stride2.128@256", 256, 128, 128, stride: 2,
      padding: ConvolutionPadding(top: 0, left: 0, bottom: 1, right: 1)),
    .init("1x1.512@64", 64, 512, 512, kernel: 1),
    .init("1x1.256-128@256", 256, 256, 128, kernel: 1),
    .init("first.3-64@512", 512, 3, 64),
    .init("first.3-128@256", 256, 3, 128),
    .init("first.4-512@64", 64, 4, 512),
    .init("last.64-3@512", 512, 64, 3),
    .init("last.128-3@256", 256, 128, 3),
    .init("last.512-8@64", 64, 512, 8),
  ]

  /// Measures it on the current pool's threads; the weights are packed as in a model.
  package func measure(repeats: Int, peakGflops: Double?) -> LayerRow {
    let x = Self.noise([1, side, side, inputs])
    let weight = Self.noise([kernel, kernel, inputs, outputs])
    let bias = Self.noise([outputs])
    let geometry = ConvolutionGeometry(
      input: x.shape, weight: weight.shape, stride: stride, padding: padding,
      upsampling: upsampling)
    var pixels = 0
    let timing = Timing(repeats: repeats) {
      let y = x.conv2d(
        weight, bias: bias, stride: stride, padding: padding, upsampling: upsampling)
      pixels = y.shape[1] * y.shape[2]
    }
    let gflops = Double(2 * weight.shape.scalarCount * pixels) / timing.median / 1e6
    return LayerRow(
      layer: name, algorithm: geometry.algorithmName, medianMs: timing.median,
      minMs: timing.minimum, maxMs: timing.maximum, gflops: gflops,
      percentOfPeak: peakGflops.map { gflops / $0 * 100 })
  }

  /// Normally distributed numbers; in large tensors they repeat.
  private static func noise(_ shape: Shape) -> Tensor {
    var random = PhiloxRandomSource(seed: 2)
    let sample = random.normals(count: 1 << 16)
    return Tensor(
      (0..<shape.scalarCount).map { sample[($0 + $0 >> 16) & 0xFFFF] }, shape: shape)
  }
}
