/// A format to write, with its settings.
public enum ImageEncoding: Sendable, Hashable {
  /// Lossless PNG with the picture's channels and bit depth, marked as sRGB.
  ///
  /// `compression` is zlib's level, 0…9; on photographs 6 takes three times as long as 3 and saves
  /// half a percent. `text` is written as tEXt, or iTXt where it isn't ASCII.
  case png(compression: Int = 3, text: [PNGText] = [])
  /// JPEG with a quality of 1…100; colours at full resolution from 90 on, else at half (4:2:0).
  ///
  /// A progressive file holds the same pixels, is smaller, by a third at low qualities since its
  /// Huffman codes are the picture's own, and takes several times as long.
  case jpeg(quality: Int = 90, isProgressive: Bool = false)
  /// Lossy WebP with a quality of 0…100.
  case webP(quality: Float = 80)
  /// Lossless WebP; colours under full transparency are kept too.
  case webPLossless

  /// The format.
  public var format: ImageFormat {
    switch self {
    case .png: .png
    case .jpeg: .jpeg
    case .webP, .webPLossless: .webP
    }
  }
}

extension Image {
  /// The bytes of a file with this picture.
  ///
  /// JPEG and WebP hold 8 bits: 16-bit samples are rounded. JPEG holds no opacity: flatten first.
  ///
  /// - Throws: ``ImageError/cannotEncode(_:reason:)`` for a picture that the format can't hold.
  public func encoded(as encoding: ImageEncoding) throws(ImageError) -> [UInt8] {
    switch encoding {
    case .png(let compression, let text):
      var file: [UInt8] = []
      do {
        try PNG.encode(self, compression: compression, text: text) { file += $0 }
      } catch {
        throw (error as? ImageError) ?? .cannotEncode(.png, reason: "\(error)")
      }
      return file
    case .jpeg(let quality, let isProgressive):
      return try JPEG.encode(self, quality: quality, isProgressive: isProgressive)
    case .webP(let quality):
      return try WebP.encode(self, quality: quality)
    case .webPLossless:
      return try WebP.encode(self, quality: nil)
    }
  }

  /// Hands the bytes of ``encoded(as:)`` to `sink`, in the format's natural pieces: PNG is never in
  /// memory as a whole.
  ///
  /// - Throws: ``ImageError``, and what `sink` throws.
  public func encode(as encoding: ImageEncoding, to sink: ([UInt8]) throws -> Void) throws {
    if case .png(let compression, let text) = encoding {
      try PNG.encode(self, compression: compression, text: text, to: sink)
    } else {
      try sink(encoded(as: encoding))
    }
  }
}
