/// How much memory a picture takes, told from its file's header before its pixels are read.
public struct ImageFootprint: Sendable, Hashable {
  /// Columns, of the upright picture.
  public var width: Int
  /// Rows, of the upright picture.
  public var height: Int
  /// What the samples of a pixel mean.
  public var channels: Image.Channels
  /// Bits of a sample: 8 or 16.
  public var bitDepth: Int
  /// How the file lies; width and height are those of the upright picture.
  public var orientation: ImageOrientation
  /// Whether the file carries an ICC profile.
  public var hasICCProfile: Bool
  /// Whether the file has four inks a pixel instead of colours.
  public var isCMYK: Bool
  /// About how many bytes reading takes at its peak, the picture included and the file's bytes not.
  public var readingByteCount: Int

  /// The bytes of the picture.
  public var byteCount: Int { width * height * channels.count * bitDepth / 8 }

  /// The bytes that ``Image/separatingAlpha()`` takes beside the picture, where no pixel is wholly
  /// transparent.
  public var alphaByteCount: Int {
    channels.hasAlpha ? 2 * byteCount : 0
  }

  /// The footprint of a file's picture.
  ///
  /// - Parameters:
  ///   - width: Columns as stored.
  ///   - height: Rows as stored.
  ///   - channels: What a pixel has when it is read.
  ///   - bitDepth: Bits of a sample.
  ///   - orientation: How the file lies: turning it takes a second picture.
  ///   - hasICCProfile: Whether the file carries an ICC profile.
  ///   - isCMYK: Whether the file has inks.
  ///   - decoderByteCount: What the decoder takes beside the samples.
  init(
    width: Int, height: Int, channels: Image.Channels, bitDepth: Int,
    orientation: ImageOrientation, hasICCProfile: Bool, isCMYK: Bool = false, decoderByteCount: Int
  ) {
    self.width = orientation.swapsSides ? height : width
    self.height = orientation.swapsSides ? width : height
    self.channels = channels
    self.bitDepth = bitDepth
    self.orientation = orientation
    self.hasICCProfile = hasICCProfile
    self.isCMYK = isCMYK
    readingByteCount = 0
    readingByteCount = byteCount + max(decoderByteCount, orientation == .upright ? 0 : byteCount)
  }

  /// The footprint of the picture in a file's bytes.
  ///
  /// - Throws: ``ImageError``, for whatever is wrong with the header.
  public init(
    ofPictureIn bytes: [UInt8], limits: ImageLimits = ImageLimits()
  ) throws(ImageError) {
    guard !bytes.isEmpty else { throw .empty }
    guard let format = ImageFormat(firstBytes: bytes) else { throw .unknownFormat }
    self =
      switch format {
      case .png: try PNG.footprint(of: bytes, limits: limits)
      case .jpeg: try JPEG.footprint(of: bytes, limits: limits)
      case .webP: try WebP.footprint(of: bytes, limits: limits)
      }
  }
}

extension Image {
  /// The bytes that ``separatingAlpha()`` takes beside the picture: more where pixels are wholly
  /// transparent, since their colours are made up.
  package var separatingByteCount: Int {
    guard channels.hasAlpha else { return 0 }
    let copies = 2 * samples.count * bitDepth / 8
    let hidden =
      switch samples {
      case .eightBit(let samples): Self.hiddenCount(samples, step: channels.count)
      case .sixteenBit(let samples): Self.hiddenCount(samples, step: channels.count)
      }
    guard hidden > 0 else { return copies }
    // Their indices, and a pyramid of one channel with its weights and what is made of it.
    return copies + hidden * MemoryLayout<Int>.stride + pixelCount * 20
  }

  private static func hiddenCount<Sample: FixedWidthInteger>(
    _ samples: [Sample], step: Int
  ) -> Int {
    stride(from: step - 1, to: samples.count, by: step).reduce(0) { count, index in
      count + (samples[index] == 0 ? 1 : 0)
    }
  }

  /// The bytes that ``joining(alpha:)`` takes for a picture of 8 bits beside its samples.
  package static func joiningByteCount(
    pixelCount: Int, channels: Channels, alphaBitDepth: Int
  ) -> Int {
    guard alphaBitDepth > 0 else { return 0 }
    let sampleByteCount = alphaBitDepth / 8
    let deepened = sampleByteCount == 2 ? 2 * channels.count : 0
    return pixelCount * (sampleByteCount * (1 + 2 * (channels.count + 1)) + deepened)
  }
}

extension ImageEncoding {
  /// About how many bytes writing a picture of so many pixels takes beside the picture; PNG is
  /// written row by row.
  package func writingByteCount(pixelCount: Int) -> Int {
    switch self {
    case .png: 0
    // The file, and a copy of it; a progressive file's coefficients are kept, in 16 bits.
    case .jpeg(_, let isProgressive): (isProgressive ? 8 : 2) * pixelCount
    // Planes of brightness and colour, what is known of each block, and the file twice.
    case .webP: 4 * pixelCount
    // Colours as words, what entropy coding looks back to, and the file twice.
    case .webPLossless: 24 * pixelCount
    }
  }
}
