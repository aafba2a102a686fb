import Layers
public import Tensors

extension AutoencoderCompact {
  /// Gives every parameter what training begins with.
  ///
  /// Convolutions before ReLU are drawn as He et al. 2015 say, and the last of each residual block
  /// is zero, so that blocks do nothing at first. With `linear_shortcut` the last convolution of
  /// each half is zero too: the network begins as its linear map, for which random numbers stand
  /// until better ones are known (`LinearAutoencoderInitialization`).
  public mutating func initialize(using source: inout some RandomSource) {
    let outputGain: Float = configuration.linearShortcut ? 0 : 1
    encoder.convIn.initialize(gain: 2, using: &source)
    for level in encoder.levels.indices { encoder.levels[level].initialize(using: &source) }
    encoder.convOut.initialize(gain: outputGain, using: &source)
    encoder.linearShortcut?.initialize(gain: 1, using: &source)
    if configuration.doubleZ {
      let channels = configuration.latentChannels
      encoder.convOut.bias = Tensor(
        [Float](repeating: 0, count: channels)
          + [Float](repeating: Self.initialLogVariance, count: channels),
        shape: [2 * channels])
    }
    decoder.convIn.initialize(gain: 2, using: &source)
    for level in decoder.levels.indices { decoder.levels[level].initialize(using: &source) }
    decoder.convOut.initialize(gain: outputGain, using: &source)
    decoder.linearShortcut?.initialize(gain: 1, using: &source)
  }

  /// A standard deviation of 0.05: little noise, beside latents with a variance of 1.
  static let initialLogVariance: Float = -6
}

extension CompactLevel {
  fileprivate mutating func initialize(using source: inout some RandomSource) {
    for index in resnets.indices {
      resnets[index].conv1.initialize(gain: 2, using: &source)
      resnets[index].conv2.initialize(gain: 0, using: &source)
    }
    resampler?.initialize(gain: 2, using: &source)
  }
}
