public import Layers
public import Tensors

/// A discriminator that judges patches: `[N, H, W, 3]` → `[N, h, w, 1]`, a number for each.
///
/// The PatchGAN of Isola et al. 2016, arXiv:1611.07004: convolutions of 4 × 4, `layers` of them with
/// stride 2 and two more, LeakyReLU of slope 0.2 between. With three a judgement sees 70 × 70 pixels.
/// Names are those of pix2pix' `NLayerDiscriminator` (`main.0.weight`, …), but with a `GroupNorm` in
/// the place of batch normalisation, so that pictures are judged for themselves.
public struct PatchDiscriminator: Layer {
  /// From pictures to a judgement.
  public var convolutions: [Conv2d]
  /// Behind each convolution but the first and the last.
  public var norms: [GroupNorm]

  /// A discriminator with weights from N(0, 0.02²) and scales from N(1, 0.02²), as Isola et al.
  ///
  /// - Parameters:
  ///   - channels: the first convolution's channels; the others have twice as many each, up to 8
  ///     times.
  ///   - layers: how many convolutions halve the picture, at least 1.
  ///   - inputChannels: 3 for pictures in colour.
  ///   - source: gives the weights.
  public init(
    channels: Int = 64, layers: Int = 3, inputChannels: Int = 3,
    using source: inout some RandomSource
  ) {
    precondition(channels >= 1 && layers >= 1, "\(layers) layers of \(channels) channels")
    let widths = (0...layers).map { channels << min($0, 3) }
    convolutions = widths.indices.map { index in
      Conv2d(
        inputChannels: index == 0 ? inputChannels : widths[index - 1],
        outputChannels: widths[index], kernelSize: 4, stride: index < layers ? 2 : 1,
        padding: ConvolutionPadding(1), hasBias: index == 0)
    }
    convolutions.append(
      Conv2d(
        inputChannels: widths[layers], outputChannels: 1, kernelSize: 4,
        padding: ConvolutionPadding(1)))
    norms = widths.dropFirst().map { width in
      GroupNorm(groups: greatestCommonDivisor(32, width), channels: width, epsilon: 1e-5)
    }
    initialize(using: &source)
  }

  /// A discriminator of the sizes that settings say.
  public init(_ settings: ObjectiveSettings, using source: inout some RandomSource) {
    self.init(
      channels: settings.discriminatorChannels, layers: settings.discriminatorLayers,
      using: &source)
  }

  private mutating func initialize(using source: inout some RandomSource) {
    for index in convolutions.indices {
      let shape = convolutions[index].weight.shape
      convolutions[index].weight = .randomNormal(shape: shape, using: &source) * 0.02
    }
    for index in norms.indices {
      let shape = norms[index].weight.shape
      norms[index].weight = .randomNormal(shape: shape, using: &source)
        .affine(scale: 0.02, offset: 1)
    }
  }

  /// The shortest side of a picture that it can judge.
  public var leastSide: Int { 3 << norms.count }

  /// D(x), unbounded; above 0 for what looks like a picture.
  public func callAsFunction(_ x: consuming Tensor) -> Tensor {
    var hidden = x
    for (index, convolution) in convolutions.enumerated() {
      hidden = convolution(consume hidden)
      if index == convolutions.count - 1 { break }
      if index > 0 { hidden = norms[index - 1](consume hidden) }
      hidden = hidden.leakyReLU(slope: 0.2)
    }
    return hidden
  }

  /// Shows each parameter to `visitor`, under its name below `path`.
  public mutating func visitParameters(
    at path: ParameterPath, with visitor: inout some ParameterVisitor
  ) throws {
    // conv, relu, then conv, norm, relu each time.
    let main = path / "main"
    for index in convolutions.indices {
      let place = index == 0 ? 0 : 3 * index - 1
      try convolutions[index].visitParameters(at: main / place, with: &visitor)
      if index > 0 && index < convolutions.count - 1 {
        try norms[index - 1].visitParameters(at: main / (place + 1), with: &visitor)
      }
    }
  }
}

private func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int {
  b == 0 ? a : greatestCommonDivisor(b, a % b)
}
