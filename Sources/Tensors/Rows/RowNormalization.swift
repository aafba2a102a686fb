import CKernels

private let blockPixels = Int(lvae_group_norm_block_pixels)

/// The sums that a group normalisation needs, taken over a feature map as its rows come.
///
/// The sums are taken over the same blocks of pixels as in `Tensor.groupNorm`, so that the
/// statistics are equal bit for bit.
package final class RowStatistics {
  fileprivate let channels, groups, pixels: Int
  /// `[blocks][groups][2]`, see `group_norm.h`.
  private var sums: [Double] = []
  private var pixelCount = 0
  /// The pixels of a block that isn't whole yet.
  fileprivate let rest: Storage
  private var restCount = 0

  /// Statistics of `pixels` pixels in all.
  package init(channels: Int, groups: Int, pixels: Int) {
    self.channels = channels
    self.groups = groups
    self.pixels = pixels
    rest = Storage(count: blockPixels * channels)
    sums.reserveCapacity((pixels + blockPixels - 1) / blockPixels * groups * 2)
  }

  /// The bytes of the sums and of the block.
  var byteCount: Int {
    sums.capacity * MemoryLayout<Double>.stride
      + blockPixels * channels * MemoryLayout<Float>.stride
  }

  /// Adds the next pixels.
  func add(_ scalars: UnsafePointer<Float>, count scalarCount: Int) {
    var source = unsafe scalars
    var count = scalarCount / channels
    if restCount > 0 {
      let taken = min(blockPixels - restCount, count)
      unsafe (rest.base + restCount * channels).update(from: source, count: taken * channels)
      unsafe source += taken * channels
      count -= taken
      restCount += taken
      pixelCount += taken
      guard restCount == blockPixels || pixelCount == pixels else { return }
      unsafe addBlocks(rest.base, pixels: restCount)
      restCount = 0
    }
    pixelCount += count
    let whole = pixelCount == pixels ? count : count / blockPixels * blockPixels
    unsafe addBlocks(source, pixels: whole)
    restCount = count - whole
    unsafe rest.base.update(from: source + whole * channels, count: restCount * channels)
  }

  private func addBlocks(_ source: UnsafePointer<Float>, pixels: Int) {
    let blocks = (pixels + blockPixels - 1) / blockPixels
    let first = sums.count
    sums += repeatElement(0, count: blocks * groups * 2)
    unsafe sums.withUnsafeMutableBufferPointer { buffer in
      guard let sums = buffer.baseAddress else { return }
      ThreadPool.current.run(count: blocks) { block, _ in
        let start = block * blockPixels
        unsafe lvae_group_norm_partial_sums(
          lvae_best_isa(), source + start * channels, nil, min(blockPixels, pixels - start),
          channels, groups, sums + first + block * groups * 2)
      }
    }
  }

  /// What the normalisation does to each channel.
  ///
  /// - Precondition: all pixels were added.
  package func scaleShift(_ normalization: GroupNormalization) -> RowNormalization {
    precondition(pixelCount == pixels && normalization.groups == groups, "not all pixels were seen")
    let scale = Storage(count: channels)
    let shift = Storage(count: channels)
    unsafe sums.withUnsafeMutableBufferPointer { buffer in
      guard let sums = buffer.baseAddress else { return }
      unsafe lvae_group_norm_scale_shift(
        sums, buffer.count / (groups * 2), pixels, channels, groups, Double(normalization.epsilon),
        normalization.weight.storage.base, normalization.bias.storage.base, scale.base, shift.base,
        nil, nil)
    }
    return RowNormalization(
      scale: scale, shift: shift, channels: channels, activation: normalization.activation)
  }
}

extension RowStatistics {
  /// What stands for a normalisation in a dry run.
  var noNormalization: RowNormalization {
    RowNormalization(scale: rest, shift: rest, channels: channels, activation: .identity)
  }
}

/// A group normalisation whose statistics are known: activation(scale · x + shift).
package struct RowNormalization {
  fileprivate let scale, shift: Storage
  fileprivate let channels: Int
  fileprivate let activation: Activation

  /// Normalises pixels; `target` may be where they are.
  func apply(
    _ source: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>, scalarCount: Int
  ) {
    let pixels = scalarCount / channels
    ThreadPool.current.run(count: (pixels + blockPixels - 1) / blockPixels) { block, _ in
      let first = block * blockPixels
      unsafe lvae_scale_shift_activation(
        lvae_best_isa(), source + first * channels, scale.base, shift.base,
        target + first * channels, min(blockPixels, pixels - first), channels, activation.kernel)
    }
  }
}
