import CKernels

private let blockPixels = Int(lvae_group_norm_block_pixels)

/// What the pixels of a tensor give for its group normalisation.
struct GroupStatistics: Sendable {
  /// What each channel of each image is multiplied with, and what is added then: `[N · C]`.
  let scale, shift: Storage
  /// Of each group of each image: `[N · G]`.
  let means, reciprocalDeviations: Storage
}

// None of these is recorded: the operations that call them are.
extension Tensor {
  func normalizingGroups(
    _ normalization: GroupNormalization, _ statistics: GroupStatistics
  ) -> Tensor {
    let (images, channels) = (shape[0], shape[-1])
    let pixels = shape.scalarCount / images / channels
    let result = Storage(count: shape.scalarCount)
    let blocks = (pixels + blockPixels - 1) / blockPixels
    ThreadPool.current.run(count: images * blocks) { index, _ in
      let (image, first) = (index / blocks, index % blocks * blockPixels)
      let start = (image * pixels + first) * channels
      unsafe lvae_scale_shift_activation(
        lvae_best_isa(), storage.base + start, statistics.scale.base + image * channels,
        statistics.shift.base + image * channels, result.base + start,
        min(blockPixels, pixels - first), channels, normalization.activation.kernel)
    }
    return Tensor(shape: shape, storage: result)
  }

  /// Writes activation(scale · x + shift) of some pixels of a single image to the start of `result`.
  func normalizeRows(
    pixels: Range<Int>, _ scale: Storage, _ shift: Storage, _ activation: Activation,
    into result: Storage
  ) {
    let channels = shape[-1]
    let blocks = (pixels.count + blockPixels - 1) / blockPixels
    ThreadPool.current.run(count: blocks) { index, _ in
      let first = index * blockPixels
      unsafe lvae_scale_shift_activation(
        lvae_best_isa(), storage.base + (pixels.lowerBound + first) * channels, scale.base,
        shift.base, result.base + first * channels, min(blockPixels, pixels.count - first),
        channels, activation.kernel)
    }
  }

  func groupStatistics(_ normalization: GroupNormalization) -> GroupStatistics {
    let groups = normalization.groups
    let (images, channels) = (shape[0], shape[-1])
    precondition(
      normalization.weight.shape == [channels], "\(shape) with \(normalization.weight.shape)")
    let condition = normalization.condition?.tensor
    precondition(
      condition.map { $0.shape[0] == images } ?? true,
      "\(images) images with a condition of \(condition?.shape ?? [])")
    let offsets: Tensor? =
      if case .offset(let offsets) = normalization.condition { offsets } else { nil }
    let pixels = shape.scalarCount / images / channels
    let blocks = (pixels + blockPixels - 1) / blockPixels
    var sums = [Double](repeating: 0, count: images * blocks * groups * 2)
    let scale = Storage(count: images * channels)
    let shift = Storage(count: images * channels)
    let means = Storage(count: images * groups)
    let deviations = Storage(count: images * groups)
    unsafe sums.withUnsafeMutableBufferPointer { buffer in
      guard let sums = buffer.baseAddress else { return }
      ThreadPool.current.run(count: images * blocks) { index, _ in
        let (image, first) = (index / blocks, index % blocks * blockPixels)
        unsafe lvae_group_norm_partial_sums(
          lvae_best_isa(), storage.base + (image * pixels + first) * channels,
          offsets.map { unsafe UnsafePointer($0.storage.base + image * channels) },
          min(blockPixels, pixels - first), channels, groups, sums + index * groups * 2)
      }
      for image in 0..<images {
        unsafe lvae_group_norm_scale_shift(
          sums + image * blocks * groups * 2, blocks, pixels, channels, groups,
          Double(normalization.epsilon), normalization.weight.storage.base,
          normalization.bias.storage.base, scale.base + image * channels,
          shift.base + image * channels, means.base + image * groups,
          deviations.base + image * groups)
      }
    }
    let statistics = GroupStatistics(
      scale: scale, shift: shift, means: means, reciprocalDeviations: deviations)
    if let condition = normalization.condition { statistics.apply(condition, channels: channels) }
    return statistics
  }
}

extension GroupStatistics {
  /// Makes the condition part of what each channel is multiplied with and what is added.
  ///
  /// Only for scales and shifts that nobody else knows yet.
  fileprivate func apply(_ condition: GroupNormCondition, channels: Int) {
    switch condition {
    case .offset(let offsets):
      // scale · (x + offset) + shift
      for index in 0..<scale.count {
        unsafe shift.base[index] += scale.base[index] * offsets.storage.base[index]
      }
    case .scaleShift(let condition):
      for index in 0..<scale.count {
        let (image, channel) = index.quotientAndRemainder(dividingBy: channels)
        let first = unsafe condition.storage.base + image * 2 * channels + channel
        let factor = unsafe 1 + first[0]
        unsafe shift.base[index] = shift.base[index] * factor + first[channels]
        unsafe scale.base[index] *= factor
      }
    }
  }
}
