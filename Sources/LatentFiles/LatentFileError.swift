import Tensors

/// Why a latent cannot be stored, or a `.latent` file cannot be read.
public enum LatentFileError: Error, Equatable {
  /// The bytes do not begin as a `.latent` file does.
  case notALatentFile
  /// The bytes end before the file does.
  case truncated(expectedByteCount: Int, foundByteCount: Int)
  /// The header's CRC-32 does not fit its bytes.
  case damagedHeader(expectedChecksum: UInt32, foundChecksum: UInt32)
  /// The header is not the JSON that the format asks for; `offset` counts its bytes.
  case invalidJSON(offset: Int, reason: String)
  /// A field of the header is missing or holds what it may not.
  case invalidHeader(field: String, reason: String)
  /// The file was written by a newer program.
  case unsupportedVersion(found: Int, newest: Int)
  /// The file needs features that this reader does not have.
  case unsupportedFeatures([String])
  /// Something is larger than the reader's ``LatentFileLimits`` allow.
  case overLimit(LatentFileLimits.Quantity, found: Int, limit: Int)
  /// The compressed bytes of a plane are not what the header announces; the alpha plane comes last.
  case damagedPlane(index: Int, reason: String)
  /// Bytes follow the last plane.
  case trailingBytes(count: Int)
  /// A latent holds NaN or an infinity.
  case nonFiniteValue(channel: Int)
  /// A value does not fit the storage.
  case valueOutOfRange(channel: Int, value: Float, storage: LatentStorage)
  /// zstd refused to compress.
  case compressionFailed(reason: String)
  /// The system refused to read the file.
  case unreadable(path: String, reason: String)
}

extension LatentFileError: CustomStringConvertible {
  /// What is wrong, and what to do.
  public var description: String {
    switch self {
    case .notALatentFile:
      "this is not a .latent file; make one with lvae encode"
    case .truncated(let expected, let found):
      "the file ends after \(found) bytes where at least \(expected) are needed; copy or encode it again"
    case .damagedHeader(let expected, let found):
      "the header is damaged (CRC-32 \(hexadecimal(found)) instead of \(hexadecimal(expected))); "
        + "copy or encode the file again"
    case .invalidJSON(let offset, let reason):
      "the header's JSON is wrong at byte \(offset): \(reason); encode the file again"
    case .invalidHeader(let field, let reason):
      "the header's \(field) \(reason); encode the file again"
    case .unsupportedVersion(let found, let newest):
      "the file is version \(found) and this build reads up to \(newest); update lvae"
    case .unsupportedFeatures(let names):
      "the file needs \(names.map(\.quotedBriefly).joined(separator: ", ")), which this build does not have; update lvae"
    case .overLimit(let quantity, let found, let limit):
      "\(quantity.rawValue): \(found), where at most \(limit) is allowed; "
        + "raise the limit if you trust the file"
    case .damagedPlane(let index, let reason):
      "plane \(index) is damaged (\(reason)); copy or encode the file again"
    case .trailingBytes(let count):
      "\(count) bytes follow the last plane; copy or encode the file again"
    case .nonFiniteValue(let channel):
      "channel \(channel) of the latent holds NaN or infinity; check the model's weights and encode again"
    case .valueOutOfRange(let channel, let value, let storage):
      "channel \(channel) of the latent holds \(value), which \(storage.rawValue) cannot store; "
        + "store it as f32"
    case .compressionFailed(let reason):
      "zstd could not compress: \(reason); check the compression level"
    case .unreadable(let path, let reason):
      "\(path): \(reason); check the path and its permissions"
    }
  }

  private func hexadecimal(_ value: UInt32) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
  }
}
