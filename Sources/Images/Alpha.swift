/// What is done about a picture's opacity.
public enum AlphaPolicy: Sendable, Hashable, Codable {
  /// It is kept beside the colours.
  case keep
  /// The picture is blended over this colour, 0…255 a channel, and becomes opaque.
  case flatten(red: UInt8, green: UInt8, blue: UInt8)
}

extension Image {
  /// The picture over a plain colour: opaque, with the same bit depth.
  ///
  /// Samples are blended as they are, in sRGB's curve, as browsers do. A grey picture over a grey
  /// colour stays grey.
  public func flattened(red: UInt8, green: UInt8, blue: UInt8) -> Image {
    guard channels.hasAlpha else { return self }
    let isGrey = channels.isGrey && red == green && green == blue
    let colored = isGrey ? self : converted(to: .rgba)
    let background = isGrey ? [red] : [red, green, blue]
    let blended: Samples =
      switch colored.samples {
      case .eightBit(let samples):
        .eightBit(PixelLoops.blended(samples, over: background))
      case .sixteenBit(let samples):
        .sixteenBit(PixelLoops.blended(samples, over: background.map { UInt16($0) * 257 }))
      }
    return replacing(samples: blended, channels: isGrey ? .grey : .rgb)
  }

  /// The colours, opaque, and the opacity as a grey picture; nil for a picture that has none.
  ///
  /// Colours that nobody can see, under full transparency, are exchanged for what surrounds them,
  /// so that an encoder doesn't spend bits on them and they don't bleed into what is seen.
  public func separatingAlpha() -> (colors: Image, alpha: Image?) {
    guard channels.hasAlpha else { return (self, nil) }
    let opacity: Samples =
      switch samples {
      case .eightBit(let samples):
        .eightBit(PixelLoops.lastChannel(samples, channelCount: channels.count))
      case .sixteenBit(let samples):
        .sixteenBit(PixelLoops.lastChannel(samples, channelCount: channels.count))
      }
    let filled = fillingTransparentColors()
    return (
      filled.converted(to: channels.with(alpha: false)),
      replacing(samples: opacity, channels: .grey)
    )
  }

  /// The picture with this opacity; the inverse of ``separatingAlpha()`` where it can be seen.
  ///
  /// A bit depth that differs is converted to the picture's.
  ///
  /// - Precondition: `alpha` is grey and of this picture's size.
  public func joining(alpha: Image) -> Image {
    precondition(
      alpha.channels == .grey && alpha.width == width && alpha.height == height,
      "an opacity of \(alpha.width)×\(alpha.height) for a picture of \(width)×\(height)")
    let target = channels.with(alpha: true)
    let joined: Samples =
      switch (converted(to: target).samples, alpha.samples) {
      case (.eightBit(let colors), _):
        .eightBit(
          PixelLoops.replacingLastChannel(
            of: colors, channelCount: target.count, with: alpha.eightBitSamples))
      case (.sixteenBit(let colors), .eightBit(let opacity)):
        .sixteenBit(
          PixelLoops.replacingLastChannel(
            of: colors, channelCount: target.count, with: opacity.map { UInt16($0) * 257 }))
      case (.sixteenBit(let colors), .sixteenBit(let opacity)):
        .sixteenBit(
          PixelLoops.replacingLastChannel(
            of: colors, channelCount: target.count, with: opacity))
      }
    return replacing(samples: joined, channels: target)
  }

  /// The samples in 8 bits.
  package var eightBitSamples: [UInt8] {
    switch samples {
    case .eightBit(let samples): samples
    case .sixteenBit(let samples): PixelLoops.narrowed(samples)
    }
  }
}
