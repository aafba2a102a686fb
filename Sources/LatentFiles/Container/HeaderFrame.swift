import Tensors

/// The first frame of a `.latent` file: a skippable zstd frame with the header.
enum HeaderFrame {
  /// The magic number of the skippable frame, and its size.
  static let prefixByteCount = 8
  /// The magic number 0x184D2A5C, as a file has it.
  private static let magic: [UInt8] = [0x5C, 0x2A, 0x4D, 0x18]
  /// As in PNG: no text, and damaged by whatever changes the ends of lines.
  private static let signature: [UInt8] = [0x89, 0x4C, 0x56, 0x41, 0x45, 0x0D, 0x0A, 0x1A]
  private static let checksumByteCount = 4

  /// The frame with this header.
  static func frame(_ header: LatentHeader) -> [UInt8] {
    let json = Array(header.json.utf8)
    let contentByteCount = signature.count + json.count + checksumByteCount
    var frame = magic + littleEndian(UInt32(truncatingIfNeeded: contentByteCount))
    frame += signature
    frame += json
    frame += littleEndian(CRC32.checksum(frame.span))
    return frame
  }

  /// The size of the whole frame whose first bytes these are.
  static func byteCount(
    prefix: some Collection<UInt8>, limits: LatentFileLimits
  ) throws(LatentFileError) -> Int {
    let prefix = Array(prefix.prefix(prefixByteCount))
    guard magic.starts(with: prefix.prefix(4)) || prefix.starts(with: magic) else {
      throw .notALatentFile
    }
    guard prefix.count == prefixByteCount else {
      throw .truncated(expectedByteCount: prefixByteCount, foundByteCount: prefix.count)
    }
    let contentByteCount = Int(number(prefix[4...]))
    try limits.check(.headerByteCount, prefixByteCount + contentByteCount, \.headerByteCount)
    guard contentByteCount >= signature.count + checksumByteCount else { throw .notALatentFile }
    return prefixByteCount + contentByteCount
  }

  /// The header in a frame, and the frame's size; what follows is not looked at.
  static func header(
    in bytes: [UInt8], limits: LatentFileLimits
  ) throws(LatentFileError) -> (header: LatentHeader, byteCount: Int) {
    let byteCount = try byteCount(prefix: bytes, limits: limits)
    let start = prefixByteCount + signature.count
    let found = bytes[prefixByteCount..<min(start, bytes.count)]
    guard signature.starts(with: found) else { throw .notALatentFile }
    guard bytes.count >= byteCount else {
      throw .truncated(expectedByteCount: byteCount, foundByteCount: bytes.count)
    }
    let end = byteCount - checksumByteCount
    let expected = number(bytes[end..<byteCount])
    let checksum = CRC32.checksum(bytes.span.extracting(..<end))
    guard checksum == expected else {
      throw .damagedHeader(expectedChecksum: expected, foundChecksum: checksum)
    }
    return (try LatentHeader(json: Array(bytes[start..<end]), limits: limits), byteCount)
  }

  private static func littleEndian(_ value: UInt32) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  private static func number(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) }
  }
}
