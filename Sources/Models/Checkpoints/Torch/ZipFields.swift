import Tensors

/// Reads the fields of a zip archive's records one after the other.
struct ZipFields {
  private let bytes: [UInt8]
  private let start: Int
  private let source: String
  private var position = 0

  /// Fields of `bytes`, which lie in the file from `start` on.
  init(_ bytes: [UInt8], start: Int, source: String) {
    self.bytes = bytes
    self.start = start
    self.source = source
  }

  var isAtEnd: Bool { position == bytes.count }

  func failure(_ reason: String, _ member: String? = nil) -> TorchArchiveError {
    TorchArchiveError(source: source, problem: .zip(reason: reason, member: member))
  }

  private mutating func take(_ count: Int) throws(TorchArchiveError) -> ArraySlice<UInt8> {
    guard count <= bytes.count - position else {
      throw failure("a record at byte \(start + position) is cut short")
    }
    defer { position += count }
    return bytes[position..<position + count]
  }

  mutating func skip(_ count: Int) throws(TorchArchiveError) {
    _ = try take(count)
  }

  mutating func expect(_ signature: [UInt8]) throws(TorchArchiveError) {
    guard try take(signature.count).elementsEqual(signature) else {
      throw failure("a record at byte \(start + position - signature.count) has no signature")
    }
  }

  /// A number without sign in `width` bytes, little-endian.
  mutating func number(_ width: Int) throws(TorchArchiveError) -> Int {
    let value = try take(width).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard let number = Int(exactly: value) else { throw failure("a number is out of range") }
    return number
  }

  mutating func string(_ count: Int) throws(TorchArchiveError) -> String {
    guard let string = String(validating: try take(count), as: UTF8.self) else {
      throw failure("a name isn't UTF-8")
    }
    return string
  }

  /// Replaces sizes that don't fit in 32 bits by those of the zip64 field, among other fields.
  mutating func readLargeSizes(
    byteCount: Int, size: inout Int, packed: inout Int, start: inout Int
  ) throws(TorchArchiveError) {
    let end = position + byteCount
    while end - position >= 4 {
      let (kind, length) = (try number(2), try number(2))
      guard length <= end - position else { throw failure("an extra field is cut short") }
      let next = position + length
      if kind == 1 {
        if size == 0xFFFF_FFFF { size = try number(8) }
        if packed == 0xFFFF_FFFF { packed = try number(8) }
        if start == 0xFFFF_FFFF { start = try number(8) }
        guard position <= next else { throw failure("a zip64 field is too short") }
      }
      try skip(next - position)
    }
    guard position <= end else { throw failure("extra fields are cut short") }
    try skip(end - position)
  }
}

extension ByteSource {
  /// Bytes of the file, with the error of this folder.
  func zipBytes(_ range: Range<Int>) throws(TorchArchiveError) -> [UInt8] {
    do {
      return try bytes(in: range)
    } catch {
      throw TorchArchiveError(source: error.name, problem: .unreadable(error.reason))
    }
  }
}
