/// The loops over pixels with opacity, on raw memory.
extension PixelLoops {
  /// The last sample of each pixel.
  static func lastChannel<Sample>(_ samples: [Sample], channelCount: Int) -> [Sample] {
    let pixelCount = samples.count / channelCount
    return unsafe mapped(samples, count: pixelCount) { source, target in
      for pixel in 0..<pixelCount {
        unsafe target[pixel] = source[pixel &* channelCount &+ channelCount &- 1]
      }
    }
  }

  /// The samples with another last one in each pixel.
  static func replacingLastChannel<Sample>(
    of samples: [Sample], channelCount: Int, with last: [Sample]
  ) -> [Sample] {
    precondition(samples.count == last.count * channelCount)
    var result = samples
    unsafe result.withUnsafeMutableBufferPointer { result in
      unsafe last.withUnsafeBufferPointer { last in
        for pixel in 0..<last.count {
          unsafe result[pixel &* channelCount &+ channelCount &- 1] = last[pixel]
        }
      }
    }
    return result
  }

  /// Pixels, whose last sample is opacity, over a background: `(α·colour + (1 − α)·background)`,
  /// rounded to the nearest.
  static func blended<Sample: FixedWidthInteger & UnsignedInteger>(
    _ samples: [Sample], over background: [Sample]
  ) -> [Sample] {
    let step = background.count + 1
    let pixelCount = samples.count / step
    let full = UInt64(Sample.max)
    return unsafe mapped(samples, count: pixelCount * background.count) { source, target in
      for pixel in 0..<pixelCount {
        let from = unsafe source + pixel &* step
        let alpha = unsafe UInt64(from[step &- 1])
        for channel in 0..<step &- 1 {
          let sum =
            unsafe alpha &* UInt64(from[channel])
            &+ (full &- alpha) &* UInt64(background[channel]) &+ full / 2
          unsafe target[pixel &* (step &- 1) &+ channel] = Sample(truncatingIfNeeded: sum / full)
        }
      }
    }
  }
}
