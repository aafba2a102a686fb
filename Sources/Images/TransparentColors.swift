extension Image {
  /// The picture with the colours under full transparency exchanged for what surrounds them.
  ///
  /// A pyramid of means, weighted by opacity, is built from the pixels that can be seen; then each
  /// pixel that can't takes its colour from the finest level that knows one, blended between
  /// neighbours ("push-pull", Gortler et al. 1996, "The Lumigraph", section 4.2). A picture that is
  /// transparent all over becomes middle grey.
  package func fillingTransparentColors() -> Image {
    guard channels.hasAlpha else { return self }
    switch samples {
    case .eightBit(let samples):
      guard let filled = filled(samples) else { return self }
      return replacing(samples: .eightBit(filled))
    case .sixteenBit(let samples):
      guard let filled = filled(samples) else { return self }
      return replacing(samples: .sixteenBit(filled))
    }
  }

  /// The samples with hidden colours exchanged; nil when there are none.
  private func filled<Sample: FixedWidthInteger & UnsignedInteger>(
    _ samples: [Sample]
  ) -> [Sample]? {
    let step = channels.count
    let hidden = (0..<pixelCount).filter { samples[$0 * step + step - 1] == 0 }
    guard !hidden.isEmpty else { return nil }
    var filled = samples
    let neutral = Float(Sample.max / 2 + 1)
    for channel in 0..<step - 1 {
      var pyramid = [
        ColorLevel(samples, channel: channel, step: step, width: width, height: height)
      ]
      while let last = pyramid.last, last.width > 1 || last.height > 1 {
        pyramid.append(last.halved())
      }
      var coarse = pyramid.removeLast().completed(neutral)
      while let fine = pyramid.popLast() {
        coarse = fine.completed(from: coarse)
      }
      for pixel in hidden {
        filled[pixel * step + channel] = Sample(coarse.values[pixel].rounded())
      }
    }
    return filled
  }
}

/// One channel of a picture at some size, with how well each value is known.
private struct ColorLevel {
  var width: Int
  var height: Int
  /// Colours; meaningless where the weight is 0.
  var values: [Float]
  /// 0 unknown … 1 known from opaque pixels.
  var weights: [Float]

  init<Sample: FixedWidthInteger & UnsignedInteger>(
    _ samples: [Sample], channel: Int, step: Int, width: Int, height: Int
  ) {
    (self.width, self.height) = (width, height)
    let pixels = 0..<width * height
    values = pixels.map { Float(samples[$0 * step + channel]) }
    weights = pixels.map { Float(samples[$0 * step + step - 1]) / Float(Sample.max) }
  }

  private init(width: Int, height: Int) {
    (self.width, self.height) = (width, height)
    values = Array(repeating: 0, count: width * height)
    weights = values
  }

  /// Half the size, rounded up: the weighted means of 2×2 values.
  func halved() -> ColorLevel {
    var half = ColorLevel(width: (width + 1) / 2, height: (height + 1) / 2)
    for y in 0..<height {
      for x in 0..<width {
        let from = y * width + x
        let to = (y / 2) * half.width + x / 2
        half.values[to] += weights[from] * values[from]
        half.weights[to] += weights[from]
      }
    }
    for index in half.values.indices where half.weights[index] > 0 {
      half.values[index] /= half.weights[index]
      half.weights[index] /= 4
    }
    return half
  }

  /// All values, with `neutral` where none is known.
  func completed(_ neutral: Float) -> ColorLevel {
    var result = self
    for index in values.indices where weights[index] == 0 {
      result.values[index] = neutral
    }
    return result
  }

  /// All values: unknown ones are blended from the four nearest of the next coarser level, which
  /// count 3/4 and 1/4 along each side.
  func completed(from coarse: ColorLevel) -> ColorLevel {
    var result = self
    for y in 0..<height {
      let row = (y / 2) * coarse.width
      let otherY = min(max(y / 2 + (y % 2 == 0 ? -1 : 1), 0), coarse.height - 1)
      let otherRow = otherY * coarse.width
      for x in 0..<width where weights[y * width + x] == 0 {
        let column = x / 2
        let other = min(max(column + (x % 2 == 0 ? -1 : 1), 0), coarse.width - 1)
        let near = coarse.values[row + column] * 0.75 + coarse.values[row + other] * 0.25
        let far = coarse.values[otherRow + column] * 0.75 + coarse.values[otherRow + other] * 0.25
        result.values[y * width + x] = near * 0.75 + far * 0.25
      }
    }
    return result
  }
}
