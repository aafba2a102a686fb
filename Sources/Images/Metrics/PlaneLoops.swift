/// The loops over planes of floats, on raw memory.
extension PixelLoops {
  /// One channel as floats.
  static func channel(_ channel: Int, of samples: [UInt8], channelCount: Int) -> [Float] {
    let pixelCount = samples.count / channelCount
    return unsafe mapped(samples, count: pixelCount) { source, target in
      for pixel in 0..<pixelCount {
        unsafe target[pixel] = Float(source[pixel &* channelCount &+ channel])
      }
    }
  }

  /// Products, one by one.
  static func products(_ first: [Float], _ second: [Float]) -> [Float] {
    precondition(first.count == second.count)
    return unsafe second.withUnsafeBufferPointer { second in
      unsafe mapped(first, count: first.count) { source, target in
        for index in 0..<first.count {
          unsafe target[index] = source[index] * second[index]
        }
      }
    }
  }

  /// Weighted means of neighbours in a row; rows become shorter by `window.count - 1`.
  static func blurredRows(
    _ values: [Float], width: Int, height: Int, _ window: [Float]
  ) -> [Float] {
    let columns = width - window.count + 1
    return unsafe mapped(values, count: columns * height) { source, target in
      for y in 0..<height {
        unsafe accumulate(
          source + y &* width, step: 1, into: target + y &* columns, count: columns, window)
      }
    }
  }

  /// Weighted means of neighbours in a column; columns become shorter by `window.count - 1`.
  static func blurredColumns(
    _ values: [Float], width: Int, height: Int, _ window: [Float]
  ) -> [Float] {
    let rows = height - window.count + 1
    return unsafe mapped(values, count: width * rows) { source, target in
      for y in 0..<rows {
        unsafe accumulate(
          source + y &* width, step: width, into: target + y &* width, count: width, window)
      }
    }
  }

  /// `target[i] = Σ window[k] · source[i + k·step]`.
  private static func accumulate(
    _ source: UnsafePointer<Float>, step: Int, into target: UnsafeMutablePointer<Float>,
    count: Int, _ window: [Float]
  ) {
    unsafe target.initialize(repeating: 0, count: count)
    for (offset, weight) in window.enumerated() {
      let shifted = unsafe source + offset &* step
      for index in 0..<count {
        unsafe target[index] += weight * shifted[index]
      }
    }
  }

  /// The mean of the similarity and of its contrast factor, from the blurred planes of x, y, x²,
  /// y² and x·y.
  static func structuralSimilarity(
    _ statistics: [[Float]], c1: Float, c2: Float
  ) -> (ssim: Double, contrast: Double) {
    let count = statistics[0].count
    var (similarity, contrast) = (0.0, 0.0)
    for index in 0..<count {
      let (x, y) = (statistics[0][index], statistics[1][index])
      let varianceX = statistics[2][index] - x * x
      let varianceY = statistics[3][index] - y * y
      let covariance = statistics[4][index] - x * y
      let structure = (2 * covariance + c2) / (varianceX + varianceY + c2)
      contrast += Double(structure)
      similarity += Double((2 * x * y + c1) / (x * x + y * y + c1) * structure)
    }
    return (similarity / Double(count), contrast / Double(count))
  }
}
