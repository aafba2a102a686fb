/// The loops of resizing, on raw memory.
extension PixelLoops {
  /// Samples as floats, colours multiplied by opacity (0…1) where there is one.
  static func weightedByAlpha<Sample: FixedWidthInteger & UnsignedInteger>(
    _ samples: [Sample], _ channels: Image.Channels
  ) -> [Float] {
    let step = channels.count
    return unsafe mapped(samples, count: samples.count) { source, target in
      for index in 0..<samples.count {
        unsafe target[index] = Float(source[index])
      }
      guard channels.hasAlpha else { return }
      for pixel in stride(from: 0, to: samples.count, by: step) {
        let alpha = unsafe target[pixel &+ step &- 1] / Float(Sample.max)
        for channel in pixel..<pixel &+ step &- 1 {
          unsafe target[channel] *= alpha
        }
      }
    }
  }

  /// Undoes ``weightedByAlpha(_:_:)``, rounding to the nearest and clamping.
  static func unweightedByAlpha<Sample: FixedWidthInteger & UnsignedInteger>(
    _ values: [Float], _ channels: Image.Channels
  ) -> [Sample] {
    let step = channels.count
    let full = Float(Sample.max)
    return unsafe mapped(values, count: values.count) { source, target in
      for pixel in stride(from: 0, to: values.count, by: step) {
        let alpha = unsafe channels.hasAlpha ? source[pixel &+ step &- 1] : full
        // Below half a level the opacity becomes 0, and colours nothing.
        let scale = alpha >= 0.5 ? full / alpha : 0
        for channel in 0..<step {
          let isAlpha = channels.hasAlpha && channel == step &- 1
          let value = unsafe isAlpha ? alpha : source[pixel &+ channel] * scale
          unsafe target[pixel &+ channel] = Sample(min(max(value, 0), full) + 0.5)
        }
      }
    }
  }

  /// Each row with one sample a window.
  static func resampledRows(
    _ values: [Float], width: Int, height: Int, channelCount: Int, _ windows: [LanczosWindow]
  ) -> [Float] {
    let rowCount = windows.count * channelCount
    return unsafe mapped(values, count: rowCount * height) { source, target in
      unsafe target.initialize(repeating: 0, count: rowCount * height)
      for y in 0..<height {
        var to = unsafe target + y &* rowCount
        for window in windows {
          var from = unsafe source + (y &* width &+ window.start) &* channelCount
          for weight in window.weights {
            for channel in 0..<channelCount {
              unsafe to[channel] += weight * from[channel]
            }
            unsafe from += channelCount
          }
          unsafe to += channelCount
        }
      }
    }
  }

  /// Columns with one sample a window; a row has `rowCount` values.
  static func resampledColumns(
    _ values: [Float], rowCount: Int, _ windows: [LanczosWindow]
  ) -> [Float] {
    unsafe mapped(values, count: rowCount * windows.count) { source, target in
      unsafe target.initialize(repeating: 0, count: rowCount * windows.count)
      for (y, window) in windows.enumerated() {
        let to = unsafe target + y &* rowCount
        for (offset, weight) in window.weights.enumerated() {
          let from = unsafe source + (window.start &+ offset) &* rowCount
          for index in 0..<rowCount {
            unsafe to[index] += weight * from[index]
          }
        }
      }
    }
  }
}
