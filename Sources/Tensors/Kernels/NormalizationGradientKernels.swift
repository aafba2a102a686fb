import CKernels

private let blockPixels = Int(lvae_group_norm_block_pixels)

/// The gradients with respect to what group normalisation was made of.
struct GroupNormGradients {
  /// Shaped as the tensor that was normalised; nil if it wasn't asked for.
  var input: Tensor?
  /// `[C]` each.
  let weight, bias: Tensor
}

extension Tensor {
  /// The gradients of a normalisation of self from that of its result; see `group_norm.h` for the
  /// formulas.
  func groupNormGradients(
    _ gradient: consuming Tensor, _ normalization: GroupNormalization,
    _ statistics: GroupStatistics, needsInput: Bool
  ) -> GroupNormGradients {
    let (images, channels) = (shape[0], shape[-1])
    let pixels = shape.scalarCount / images / channels
    let blocks = (pixels + blockPixels - 1) / blockPixels
    let means = statistics.channelMeans(images: images, channels: channels, normalization.groups)
    let partial = Storage(count: images * blocks * 2 * channels)
    // For the gradient before the activation, and then for the result.
    let target = gradient.takeMemory()
    let isPlain = normalization.activation == .identity
    let before = isPlain ? gradient.storage : target
    inPixelBlocks(blocks) { index, image, start, count in
      unsafe lvae_group_norm_gradient_sums(
        lvae_best_isa(), storage.base + start, gradient.storage.base + start,
        statistics.scale.base + image * channels, statistics.shift.base + image * channels,
        means.base + image * channels, normalization.activation.kernel, target.base + start,
        count, channels, partial.base + index * 2 * channels)
    }
    let sums = partial.addingBlocks(images: images, blocks: blocks, count: 2 * channels)
    let coefficients = NormGradientCoefficients(
      sums.scalars, normalization, statistics, images: images, pixels: pixels)
    var result = GroupNormGradients(
      input: nil, weight: coefficients.weightGradient, bias: coefficients.biasGradient)
    guard needsInput else { return result }
    inPixelBlocks(blocks) { _, image, start, count in
      unsafe lvae_group_norm_gradient_input(
        lvae_best_isa(), storage.base + start, before.base + start,
        statistics.scale.base + image * channels,
        coefficients.slope.storage.base + image * channels,
        coefficients.offset.storage.base + image * channels, target.base + start, count, channels)
    }
    result.input = Tensor(shape: shape, storage: target)
    return result
  }

  private func inPixelBlocks(
    _ blocks: Int, _ body: (_ index: Int, _ image: Int, _ start: Int, _ count: Int) -> Void
  ) {
    let (images, channels) = (shape[0], shape[-1])
    let pixels = shape.scalarCount / images / channels
    ThreadPool.current.run(count: images * blocks) { index, _ in
      let (image, first) = (index / blocks, index % blocks * blockPixels)
      body(
        index, image, (image * pixels + first) * channels, min(blockPixels, pixels - first))
    }
  }
}

extension GroupStatistics {
  /// The mean of its group for each channel of each image: `[N · C]`.
  fileprivate func channelMeans(images: Int, channels: Int, _ groups: Int) -> Storage {
    let result = Storage(count: images * channels)
    for index in 0..<images * channels {
      let group = index % channels / (channels / groups)
      unsafe result.base[index] = means.base[index / channels * groups + group]
    }
    return result
  }
}

/// The gradients of weight and bias, and dx = scale · du + slope · x + offset.
private struct NormGradientCoefficients {
  let weightGradient, biasGradient: Tensor
  /// `[N · C]` each.
  let slope, offset: Tensor

  /// From the sums `[N, 2, C]` over the pixels of du and of du · (x − mean).
  init(
    _ sums: [Float], _ normalization: GroupNormalization, _ statistics: GroupStatistics,
    images: Int, pixels: Int
  ) {
    let groups = normalization.groups
    let gamma = normalization.weight.scalars
    let (channels, width) = (gamma.count, gamma.count / groups)
    var weights = [Double](repeating: 0, count: channels)
    var biases = weights
    var slopes = [Float](repeating: 0, count: images * channels)
    var offsets = slopes
    for image in 0..<images {
      for group in 0..<groups {
        let mean = Double(unsafe statistics.means.base[image * groups + group])
        let deviation = Double(
          unsafe statistics.reciprocalDeviations.base[image * groups + group])
        var (sum, product) = (0.0, 0.0)
        for channel in group * width..<(group + 1) * width {
          let plain = Double(sums[image * 2 * channels + channel])
          let normalized = Double(sums[(image * 2 + 1) * channels + channel]) * deviation
          biases[channel] += plain
          weights[channel] += normalized
          sum += Double(gamma[channel]) * plain
          product += Double(gamma[channel]) * normalized
        }
        let factor = deviation / Double(pixels * width)
        for index in image * channels + group * width..<image * channels + (group + 1) * width {
          slopes[index] = Float(-factor * deviation * product)
          offsets[index] = Float(factor * (mean * deviation * product - sum))
        }
      }
    }
    weightGradient = Tensor(weights.map { Float($0) }, shape: [channels])
    biasGradient = Tensor(biases.map { Float($0) }, shape: [channels])
    slope = Tensor(slopes, shape: [images * channels])
    offset = Tensor(offsets, shape: [images * channels])
  }
}
