/// The loops over single pixels, on raw memory: bounds checks would make them several times slower.
enum PixelLoops {
  /// 16-bit samples rounded to 8 bits: `round(sample / 257)`.
  static func narrowed(_ wide: [UInt16]) -> [UInt8] {
    unsafe mapped(wide, count: wide.count) { source, target in
      for index in 0..<wide.count {
        unsafe target[index] = UInt8(
          truncatingIfNeeded: (UInt32(source[index]) &* 255 &+ 32895) &>> 16)
      }
    }
  }

  /// `count` samples that `write` computes from others, all of them.
  static func mapped<Source, Target>(
    _ samples: [Source], count: Int,
    _ write: (UnsafePointer<Source>, UnsafeMutablePointer<Target>) -> Void
  ) -> [Target] {
    unsafe samples.withUnsafeBufferPointer { source in
      unsafe [Target](unsafeUninitializedCapacity: count) { target, initializedCount in
        if let source = source.baseAddress, let target = target.baseAddress {
          unsafe write(source, target)
          initializedCount = count
        }
      }
    }
  }

  /// Samples with other channels: grey repeated, opacity added or dropped.
  static func converted<Sample: FixedWidthInteger & UnsignedInteger>(
    _ samples: [Sample], from channels: Image.Channels, to target: Image.Channels
  ) -> [Sample] {
    let pixelCount = samples.count / channels.count
    let (sourceStep, targetStep) = (channels.count, target.count)
    let greenOffset = channels.isGrey ? 0 : 1
    let blueOffset = channels.isGrey ? 0 : 2
    return unsafe mapped(samples, count: pixelCount * target.count) { source, result in
      for pixel in 0..<pixelCount {
        let from = unsafe source + pixel &* sourceStep
        let to = unsafe result + pixel &* targetStep
        unsafe to[0] = from[0]
        if !target.isGrey {
          unsafe to[1] = from[greenOffset]
          unsafe to[2] = from[blueOffset]
        }
        if target.hasAlpha {
          unsafe to[targetStep &- 1] = channels.hasAlpha ? from[sourceStep &- 1] : .max
        }
      }
    }
  }

  /// Samples of a picture of `width × height` pixels turned upright.
  static func turned<Sample: FixedWidthInteger>(
    _ samples: [Sample], width: Int, height: Int, channelCount: Int,
    _ orientation: ImageOrientation
  ) -> [Sample] {
    // The source pixel of the result's (x, y) is origin + x·stepX + y·stepY.
    let (origin, stepX, stepY) =
      switch orientation {
      case .upright: (0, 1, width)
      case .mirrored: (width - 1, -1, width)
      case .turned180: (width * height - 1, -1, -width)
      case .flipped: (width * (height - 1), 1, -width)
      case .transposed: (0, width, 1)
      case .turned90: (width * (height - 1), -width, 1)
      case .transversed: (width * height - 1, -width, -1)
      case .turned270: (width - 1, width, -1)
      }
    let columns = orientation.swapsSides ? height : width
    let rows = orientation.swapsSides ? width : height
    return unsafe mapped(samples, count: samples.count) { source, target in
      var target = unsafe target
      for y in 0..<rows {
        var from = unsafe source + (origin &+ y &* stepY) &* channelCount
        for _ in 0..<columns {
          for channel in 0..<channelCount {
            unsafe target[channel] = from[channel]
          }
          unsafe from += stepX &* channelCount
          unsafe target += channelCount
        }
      }
    }
  }

  /// RGB mixed from inks by the plain formula `(1 − ink)(1 − black)`; 255 is full ink, or none when
  /// the inks are inverted.
  static func plainRGB(cmyk: [UInt8], isInverted: Bool) -> [UInt8] {
    let pixelCount = cmyk.count / 4
    let flip: UInt8 = isInverted ? 0 : 255
    return unsafe mapped(cmyk, count: pixelCount * 3) { source, target in
      for pixel in 0..<pixelCount {
        let inks = unsafe source + pixel &* 4
        let light = unsafe UInt32(inks[3] ^ flip)
        for channel in 0..<3 {
          let product = unsafe UInt32(inks[channel] ^ flip) &* light &+ 128
          unsafe target[pixel &* 3 &+ channel] = UInt8(
            truncatingIfNeeded: (product &+ product &>> 8) &>> 8)
        }
      }
    }
  }
}

extension PixelLoops {
  /// The sum of the squares of the differences, exactly.
  static func sumOfSquaredDifferences(_ first: [UInt8], _ second: [UInt8]) -> UInt64 {
    precondition(first.count == second.count)
    var sum: UInt64 = 0
    unsafe first.withUnsafeBufferPointer { first in
      unsafe second.withUnsafeBufferPointer { second in
        // 2¹⁵ squares below 2¹⁶ fit in 32 bits, which vectorise better.
        for start in stride(from: 0, to: first.count, by: 1 << 15) {
          var part: UInt32 = 0
          for index in start..<min(start + 1 << 15, first.count) {
            let difference = unsafe Int32(first[index]) &- Int32(second[index])
            part &+= UInt32(truncatingIfNeeded: difference &* difference)
          }
          sum += UInt64(part)
        }
      }
    }
    return sum
  }
}
