/// A picture in memory: sRGB, upright, with straight (not premultiplied) alpha.
///
/// Samples lie row by row from the top left, the channels of a pixel side by side. They keep the
/// precision of the file: 16-bit files give 16-bit samples.
public struct Image: Sendable {
  /// What the samples of a pixel mean, in order.
  public enum Channels: Int, Sendable, Hashable, Codable, CaseIterable {
    /// One sample: luminance, in sRGB's transfer curve.
    case grey = 1
    /// Luminance and opacity.
    case greyAlpha = 2
    /// Red, green and blue.
    case rgb = 3
    /// Red, green, blue and opacity.
    case rgba = 4

    /// The number of samples a pixel.
    public var count: Int { rawValue }

    /// Whether the last sample is opacity.
    public var hasAlpha: Bool { self == .greyAlpha || self == .rgba }

    /// Whether a pixel has one luminance instead of three colours.
    public var isGrey: Bool { self == .grey || self == .greyAlpha }

    /// The same channels with or without opacity.
    public func with(alpha: Bool) -> Channels {
      isGrey ? (alpha ? .greyAlpha : .grey) : (alpha ? .rgba : .rgb)
    }
  }

  /// The numbers, `height × width × channels` of them.
  public enum Samples: Sendable, Hashable {
    /// 0…255.
    case eightBit([UInt8])
    /// 0…65535.
    case sixteenBit([UInt16])

    /// How many there are.
    public var count: Int {
      switch self {
      case .eightBit(let samples): samples.count
      case .sixteenBit(let samples): samples.count
      }
    }
  }

  /// Columns; at least 1.
  public let width: Int
  /// Rows; at least 1.
  public let height: Int
  /// What the samples of a pixel mean.
  public let channels: Channels
  /// The numbers, row by row.
  public let samples: Samples
  /// What is known about the file that this picture was read from.
  public let source: ImageSource

  /// A picture made of samples.
  ///
  /// - Precondition: neither side is below 1, and there are `width × height × channels` samples.
  public init(
    width: Int, height: Int, channels: Channels, samples: Samples, source: ImageSource? = nil
  ) {
    precondition(width >= 1 && height >= 1, "a picture of \(width)×\(height) pixels")
    precondition(
      samples.count == width * height * channels.count,
      "\(samples.count) samples for \(width)×\(height) pixels of \(channels.count) channels")
    self.width = width
    self.height = height
    self.channels = channels
    self.samples = samples
    self.source =
      source
      ?? ImageSource(
        format: nil, width: width, height: height, bitDepth: samples.bitDepth,
        isGrey: channels.isGrey, hasAlpha: channels.hasAlpha)
  }

  /// The number of pixels.
  public var pixelCount: Int { width * height }

  /// Bits of a sample: 8 or 16.
  public var bitDepth: Int { samples.bitDepth }
}

extension Image.Samples {
  /// Bits of a sample: 8 or 16.
  public var bitDepth: Int {
    switch self {
    case .eightBit: 8
    case .sixteenBit: 16
    }
  }
}

extension Image {
  /// The same picture with 8-bit samples; 16-bit ones are rounded to the nearest.
  public func eightBit() -> Image {
    guard case .sixteenBit(let wide) = samples else { return self }
    return replacing(samples: .eightBit(PixelLoops.narrowed(wide)))
  }

  /// The same picture with other channels.
  ///
  /// Grey becomes colour by repeating it, missing opacity is full opacity, and opacity that isn't
  /// wanted is dropped: see ``flattened(red:green:blue:)`` to blend it first.
  ///
  /// - Precondition: colour isn't turned into grey.
  public func converted(to target: Channels) -> Image {
    precondition(channels.isGrey || !target.isGrey, "colour isn't converted to grey")
    guard target != channels else { return self }
    let converted: Samples =
      switch samples {
      case .eightBit(let samples):
        .eightBit(PixelLoops.converted(samples, from: channels, to: target))
      case .sixteenBit(let samples):
        .sixteenBit(PixelLoops.converted(samples, from: channels, to: target))
      }
    return replacing(samples: converted, channels: target)
  }

  /// The same picture with some parts exchanged.
  func replacing(
    width: Int? = nil, height: Int? = nil, samples: Samples, channels: Channels? = nil
  ) -> Image {
    Image(
      width: width ?? self.width, height: height ?? self.height,
      channels: channels ?? self.channels,
      samples: samples, source: source)
  }
}
