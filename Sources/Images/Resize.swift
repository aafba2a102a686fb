import Foundation

extension Image {
  /// The picture in another size, by Lanczos' filter with three lobes.
  ///
  /// As Pillow's `LANCZOS`: made smaller, the filter is as much wider, so that nothing flickers.
  /// Colours count by their opacity. Samples are filtered as they are, in sRGB's curve.
  ///
  /// - Precondition: both sides are at least 1.
  public func resized(width: Int, height: Int) -> Image {
    precondition(width >= 1 && height >= 1, "resized to \(width)×\(height)")
    guard width != self.width || height != self.height else { return self }
    let resized: Samples =
      switch samples {
      case .eightBit(let samples): .eightBit(filtered(samples, width, height))
      case .sixteenBit(let samples): .sixteenBit(filtered(samples, width, height))
      }
    return replacing(width: width, height: height, samples: resized)
  }

  /// The picture made smaller, if need be, so that no side is longer than `side`.
  ///
  /// - Precondition: `side` is at least 1.
  public func thumbnail(longestSide side: Int) -> Image {
    let longest = max(width, height)
    guard longest > side else { return self }
    func shortened(_ length: Int) -> Int { max(1, (length * side + longest / 2) / longest) }
    return resized(width: shortened(width), height: shortened(height))
  }

  private func filtered<Sample: FixedWidthInteger & UnsignedInteger>(
    _ samples: [Sample], _ newWidth: Int, _ newHeight: Int
  ) -> [Sample] {
    let values = PixelLoops.weightedByAlpha(samples, channels)
    let wide = PixelLoops.resampledRows(
      values, width: width, height: height, channelCount: channels.count,
      LanczosWindow.windows(from: width, to: newWidth))
    let resized = PixelLoops.resampledColumns(
      wide, rowCount: newWidth * channels.count, LanczosWindow.windows(from: height, to: newHeight))
    return PixelLoops.unweightedByAlpha(resized, channels)
  }
}

/// The samples of a row or column that make one new sample, and how much each counts.
struct LanczosWindow {
  var start: Int
  /// Their sum is 1.
  var weights: [Float]

  /// One for each of `newCount` samples that stand evenly among `count`.
  static func windows(from count: Int, to newCount: Int) -> [LanczosWindow] {
    let scale = Double(count) / Double(newCount)
    let stretch = max(scale, 1)
    return (0..<newCount).map { index in
      let center = (Double(index) + 0.5) * scale
      let start = max(0, Int((center - 3 * stretch).rounded()))
      let end = max(start + 1, min(count, Int((center + 3 * stretch).rounded())))
      let weights = (start..<end).map { lanczos((Double($0) + 0.5 - center) / stretch) }
      let sum = weights.reduce(0, +)
      return LanczosWindow(start: start, weights: weights.map { Float($0 / sum) })
    }
  }

  /// `sinc(x) · sinc(x / 3)` within three lobes.
  private static func lanczos(_ x: Double) -> Double {
    guard abs(x) < 3 else { return 0 }
    guard x != 0 else { return 1 }
    return 3 * sin(.pi * x) * sin(.pi * x / 3) / (.pi * .pi * x * x)
  }
}
