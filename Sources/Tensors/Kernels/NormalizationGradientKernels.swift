import CKernels

private let blockPixels = Int(lvae_group_norm_block_pixels)

extension Tensor {
  /// The gradients of a normalisation of self from that of its result; see `group_norm.h` for the
  /// formulas.
  ///
  /// - Parameters:
  ///   - gradient: that of the result.
  ///   - normalization: what self was normalised with.
  ///   - statistics: what it was found to need.
  ///   - isNeeded: of which of those that are returned the gradient is asked for.
  /// - Returns: those with respect to self, the weight, the bias, and the condition.
  func groupNormGradients(
    _ gradient: consuming Tensor, _ normalization: GroupNormalization,
    _ statistics: GroupStatistics, isNeeded: [Bool]
  ) -> [Tensor?] {
    let (images, channels) = (shape[0], shape[-1])
    let pixels = shape.scalarCount / images / channels
    let blocks = (pixels + blockPixels - 1) / blockPixels
    let means = statistics.channelMeans(images: images, channels: channels, normalization)
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
    var results: [Tensor?] = [
      nil, coefficients.weightGradient, coefficients.biasGradient, coefficients.scaleShiftGradient,
    ]
    let offsetIsNeeded = if case .offset = normalization.condition { isNeeded[3] } else { false }
    guard isNeeded[0] || offsetIsNeeded else { return results }
    inPixelBlocks(blocks) { _, image, start, count in
      unsafe lvae_group_norm_gradient_input(
        lvae_best_isa(), storage.base + start, before.base + start,
        statistics.scale.base + image * channels,
        coefficients.slope.storage.base + image * channels,
        coefficients.offset.storage.base + image * channels, target.base + start, count, channels)
    }
    let result = Tensor(shape: shape, storage: target)
    results[0] = result
    if offsetIsNeeded {
      results[3] = result.channelSums(images: images).reshaped(to: [images, channels])
    }
    return results
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
  /// What is subtracted from each channel of each image: `[N · C]`; the mean of its group, less
  /// the offset that is added to the channel.
  fileprivate func channelMeans(
    images: Int, channels: Int, _ normalization: GroupNormalization
  ) -> Storage {
    let groups = normalization.groups
    let result = Storage(count: images * channels)
    for index in 0..<images * channels {
      let group = index % channels / (channels / groups)
      unsafe result.base[index] = means.base[index / channels * groups + group]
    }
    if case .offset(let offsets) = normalization.condition {
      for index in 0..<images * channels {
        unsafe result.base[index] -= offsets.storage.base[index]
      }
    }
    return result
  }
}

/// The gradients of weight and bias, and dx = scale · du + slope · x + offset.
private struct NormGradientCoefficients {
  let weightGradient, biasGradient: Tensor
  /// `[N, 2C]`, where that is the condition.
  let scaleShiftGradient: Tensor?
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
    var condition = ConditionGradient(normalization)
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
          let factor = condition.add(image, channel, plain: plain, normalized: normalized)
          biases[channel] += factor * plain
          weights[channel] += factor * normalized
          sum += factor * Double(gamma[channel]) * plain
          product += factor * Double(gamma[channel]) * normalized
        }
        let factor = deviation / Double(pixels * width)
        for channel in group * width..<(group + 1) * width {
          let index = image * channels + channel
          slopes[index] = Float(-factor * deviation * product)
          let mean = mean - condition.offset(image, channel)
          offsets[index] = Float(factor * (mean * deviation * product - sum))
        }
      }
    }
    weightGradient = Tensor(weights.map { Float($0) }, shape: [channels])
    biasGradient = Tensor(biases.map { Float($0) }, shape: [channels])
    scaleShiftGradient =
      condition.gradient.isEmpty
      ? nil : Tensor(condition.gradient, shape: [images, 2 * channels])
    slope = Tensor(slopes, shape: [images * channels])
    offset = Tensor(offsets, shape: [images * channels])
  }
}

/// What a condition has to do with the gradients of a normalisation.
private struct ConditionGradient {
  private let gamma, beta, offsets, factors: [Float]
  /// Of scales and shifts, `[N, 2C]`; empty where there are none.
  private(set) var gradient: [Float]

  init(_ normalization: GroupNormalization) {
    gamma = normalization.weight.scalars
    beta = normalization.bias.scalars
    switch normalization.condition {
    case .offset(let tensor): (offsets, factors) = (tensor.scalars, [])
    case .scaleShift(let tensor): (offsets, factors) = ([], tensor.scalars)
    case nil: (offsets, factors) = ([], [])
    }
    gradient = [Float](repeating: 0, count: factors.count)
  }

  /// What is added to a channel before it is normalised.
  func offset(_ image: Int, _ channel: Int) -> Double {
    offsets.isEmpty ? 0 : Double(offsets[image * gamma.count + channel])
  }

  /// Takes in the sums over the pixels of a channel, of du and of du · x̂.
  ///
  /// - Returns: What the channel was multiplied with behind the normalisation.
  mutating func add(_ image: Int, _ channel: Int, plain: Double, normalized: Double) -> Double {
    if factors.isEmpty { return 1 }
    let index = image * 2 * gamma.count + channel
    gradient[index] = Float(Double(gamma[channel]) * normalized + Double(beta[channel]) * plain)
    gradient[index + gamma.count] = Float(plain)
    return 1 + Double(factors[index])
  }
}
