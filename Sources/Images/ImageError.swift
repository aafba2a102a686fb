import Tensors

/// Why a picture can't be read or written.
public enum ImageError: Error, Sendable, Hashable {
  /// The file can't be opened or read.
  case unreadable(path: String, reason: String)
  /// There are no bytes at all.
  case empty
  /// The first bytes belong to none of the formats.
  case unknownFormat
  /// The file ends before the picture does.
  case truncated(ImageFormat)
  /// The file contradicts its format, or a checksum of it is wrong.
  case damaged(ImageFormat, reason: String)
  /// The file may be fine, but it uses something that this program doesn't read.
  case unsupported(ImageFormat, feature: String)
  /// The header announces more pixels than the limit.
  case tooManyPixels(width: Int, height: Int, limit: Int)
  /// The file is larger than the limit.
  case tooManyBytes(count: Int, limit: Int)
  /// The format can't hold this picture.
  case cannotEncode(ImageFormat, reason: String)
}

extension ImageError {
  /// The same, for a picture's file.
  init(_ error: ByteSourceError) {
    self = .unreadable(path: error.name, reason: error.reason)
  }
}

extension ImageError: CustomStringConvertible {
  /// What is wrong, and what to do.
  public var description: String {
    switch self {
    case .unreadable(let path, let reason):
      "\(path): \(reason)"
    case .empty:
      "the file is empty; copy it again from where it came"
    case .unknownFormat:
      "the file is neither PNG, JPEG nor WebP; convert it to one of them"
    case .truncated(let format):
      "the \(format) file ends before the picture does; copy it again from where it came"
    case .damaged(let format, let reason):
      "the \(format) file is damaged (\(reason)); copy it again from where it came"
    case .unsupported(let format, let feature):
      "the \(format) file uses \(feature), which isn't supported; convert it to a plain PNG"
    case .tooManyPixels(let width, let height, let limit):
      "the picture has \(width)×\(height) pixels and the limit is \(limit) pixels; "
        + "raise the limit if the file can be trusted"
    case .tooManyBytes(let count, let limit):
      "the file has \(count) bytes and the limit is \(limit) bytes; "
        + "raise the limit if the file can be trusted"
    case .cannotEncode(let format, let reason):
      "the picture can't be written as \(format): \(reason)"
    }
  }
}
