extension Image {
  /// Where two pictures differ, as colours from black through red and yellow to white.
  ///
  /// A pixel shows the root mean square of its differences in red, green and blue, in levels of 8
  /// bits: black for 0, white for `limit` and more, in between in proportion.
  ///
  /// - Parameters:
  ///   - other: The picture to compare with.
  ///   - limit: The difference that is white, in levels, above 0.
  /// - Returns: A picture in colour, of the same size.
  /// - Precondition: both pictures have the same size.
  public func errorMap(to other: Image, limit: Double = 32) -> Image {
    precondition(
      width == other.width && height == other.height,
      "\(width)×\(height) compared with \(other.width)×\(other.height)")
    precondition(limit > 0, "an error of \(limit) levels shown as white")
    let first = eightBit().converted(to: .rgb).eightBitSamples
    let second = other.eightBit().converted(to: .rgb).eightBitSamples
    // By the sum of three squares, up to that of the limit.
    let colors = (0...Int((3 * limit * limit).rounded(.up))).map { sum in
      Self.heat(((Double(sum) / 3).squareRoot() / limit))
    }
    var samples = [UInt8](repeating: 0, count: first.count)
    for pixel in stride(from: 0, to: first.count, by: 3) {
      var sum = 0
      for index in pixel..<pixel + 3 {
        let difference = Int(first[index]) - Int(second[index])
        sum += difference * difference
      }
      let color = colors[min(sum, colors.count - 1)]
      samples[pixel] = color.red
      samples[pixel + 1] = color.green
      samples[pixel + 2] = color.blue
    }
    return Image(width: width, height: height, channels: .rgb, samples: .eightBit(samples))
  }

  /// The colour of a body that gets hotter: 0 is black, 1 and more white.
  private static func heat(_ value: Double) -> (red: UInt8, green: UInt8, blue: UInt8) {
    func part(_ begin: Double) -> UInt8 { UInt8(255 * min(1, max(0, 3 * value - begin))) }
    return (part(0), part(1), part(2))
  }
}
