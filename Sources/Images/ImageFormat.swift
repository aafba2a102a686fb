/// A file format of pictures.
public enum ImageFormat: String, Sendable, Hashable, Codable, CaseIterable {
  /// Portable Network Graphics: lossless, 1 to 16 bits, opacity.
  case png
  /// JPEG: lossy, 8 bits.
  case jpeg
  /// WebP: lossy or lossless, 8 bits, opacity.
  case webP = "webp"

  /// The format of a file that begins with these bytes; the file's name doesn't count.
  public init?(firstBytes bytes: [UInt8]) {
    if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
      self = .png
    } else if bytes.starts(with: [0xFF, 0xD8]) {
      self = .jpeg
    } else if bytes.starts(with: "RIFF".utf8), bytes.dropFirst(8).starts(with: "WEBP".utf8) {
      self = .webP
    } else {
      return nil
    }
  }

  /// The endings that names of such files have, the usual one first.
  public var fileExtensions: [String] {
    switch self {
    case .png: ["png"]
    case .jpeg: ["jpg", "jpeg"]
    case .webP: ["webp"]
    }
  }

  /// The longest side of a picture that the encoder takes; nil where none is known.
  package var encodedSideLimit: Int? {
    switch self {
    case .png: nil
    case .jpeg: JPEG.sideLimit
    case .webP: WebP.sideLimit
    }
  }
}

extension ImageFormat: CustomStringConvertible {
  /// As people write it.
  public var description: String {
    switch self {
    case .png: "PNG"
    case .jpeg: "JPEG"
    case .webP: "WebP"
    }
  }
}
