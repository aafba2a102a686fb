extension Image {
  /// A part of the picture, from column `x` and row `y` on.
  ///
  /// - Precondition: the part lies in the picture, and neither side is below 1.
  public func cropped(x: Int, y: Int, width: Int, height: Int) -> Image {
    precondition(
      x >= 0 && y >= 0 && width >= 1 && height >= 1 && x + width <= self.width
        && y + height <= self.height,
      "\(width)×\(height) pixels at (\(x), \(y)) of \(self.width)×\(self.height)")
    guard width != self.width || height != self.height else { return self }
    let part: Samples =
      switch samples {
      case .eightBit(let samples): .eightBit(rows(samples, x, y, width, height))
      case .sixteenBit(let samples): .sixteenBit(rows(samples, x, y, width, height))
      }
    return replacing(width: width, height: height, samples: part)
  }

  private func rows<Sample>(
    _ samples: [Sample], _ x: Int, _ y: Int, _ width: Int, _ height: Int
  ) -> [Sample] {
    var part: [Sample] = []
    part.reserveCapacity(width * height * channels.count)
    for row in y..<y + height {
      let start = (row * self.width + x) * channels.count
      part.append(contentsOf: samples[start..<start + width * channels.count])
    }
    return part
  }
}
