import CKernels

/// Pictures from this size on are convolved in place, in bands of pixels of a fraction of it.
private let leastByteCount = 64 << 20
private let bandByteCount = 8 << 20

extension Tensor {
  /// A 1×1 convolution to fewer channels in the memory of the tensor itself; nil if it is another
  /// convolution, the tensor is small, or somebody else holds it.
  ///
  /// A band of pixels is convolved into memory of its own and then copied to its place, which never
  /// lies behind the pixels that are still to be read.
  mutating func convolvingInPlace(
    _ geometry: ConvolutionGeometry, _ weight: Tensor, _ epilogue: borrowing ConvolutionEpilogue
  ) -> Tensor? {
    let (inputs, outputs) = (geometry.weight[2], geometry.weight[3])
    guard
      geometry.weight[0] == 1, geometry.weight[1] == 1, geometry.stride == 1, outputs <= inputs,
      geometry.padding == ConvolutionPadding(0), !geometry.upsampling,
      epilogue.residual == nil, epilogue.activation.isFused,
      shape.scalarCount * MemoryLayout<Float>.stride >= leastByteCount,
      isKnownUniquelyReferenced(&storage)
    else { return nil }
    let pixels = shape.scalarCount / inputs
    let bandPixels = bandByteCount / (inputs * MemoryLayout<Float>.stride)
    let band = Storage(count: bandPixels * outputs)
    for first in stride(from: 0, to: pixels, by: bandPixels) {
      let count = min(bandPixels, pixels - first)
      let rows = ConvolutionGeometry(
        input: [1, 1, count, inputs], weight: geometry.weight, stride: 1,
        padding: geometry.padding, upsampling: false)
      guard let plan = ConvolutionPlan(rows.kernelShape) else { return nil }
      unsafe plan.run(
        input: storage.base + first * inputs, packed: plan.packed(weight), output: band.base,
        bias: epilogue.bias, residual: nil, activation: epilogue.activation)
      unsafe (storage.base + first * outputs).update(from: band.base, count: count * outputs)
    }
    storage.shrink(to: pixels * outputs)
    return Tensor(shape: geometry.outputShape, storage: storage)
  }
}
