package import Tensors

/// The members of a zip archive that are stored without compression, as `torch.save` writes them.
///
/// Sizes and places come from the central directory, with zip64; the headers before the members
/// must agree on the name. Members that overlap, lie outside or share a name are refused.
package struct ZipArchive: Sendable {
  /// A member.
  package struct Entry: Hashable, Sendable {
    /// Its path in the archive.
    package let name: String
    /// Its bytes in the file.
    package let range: Range<Int>
    /// The checksum that its bytes should have.
    package let checksum: UInt32
  }

  /// The members by their names.
  package let entries: [String: Entry]
  private let bytes: ByteSource

  /// The largest central directory that is read.
  private static let directoryByteLimit = 64 << 20

  /// Reads the directory of `bytes`.
  ///
  /// - Throws: ``TorchArchiveError`` where it isn't a zip archive, or has members that are
  ///   compressed or encrypted.
  package init(_ bytes: ByteSource) throws(TorchArchiveError) {
    self.bytes = bytes
    let place = try Self.directory(of: bytes)
    guard place.range.count <= Self.directoryByteLimit else {
      throw TorchArchiveError(
        source: bytes.name,
        problem: .limit(what: "the zip directory", limit: Self.directoryByteLimit))
    }
    var fields = ZipFields(
      try bytes.zipBytes(place.range), start: place.range.lowerBound, source: bytes.name)
    var entries: [String: Entry] = [:]
    for _ in 0..<place.count {
      let entry = try Self.entry(&fields, in: bytes, before: place.range.lowerBound)
      guard entries.updateValue(entry, forKey: entry.name) == nil else {
        throw fields.failure("two members have one name", entry.name)
      }
    }
    guard fields.isAtEnd else { throw fields.failure("the directory has bytes left over") }
    var end = 0
    for entry in entries.values.sorted(by: { $0.range.lowerBound < $1.range.lowerBound })
    where !entry.range.isEmpty {
      guard entry.range.lowerBound >= end else {
        throw fields.failure("members overlap", entry.name)
      }
      end = entry.range.upperBound
    }
    self.entries = entries
  }

  /// Reads a member and checks it, in pieces; `body` is given each piece.
  ///
  /// - Throws: ``TorchArchiveError`` where the file can't be read or the checksum differs.
  package func check(_ entry: Entry) throws(TorchArchiveError) {
    var crc = CRC32()
    var position = entry.range.lowerBound
    while position < entry.range.upperBound {
      let end = min(position + 1 << 20, entry.range.upperBound)
      let piece = try bytes.zipBytes(position..<end)
      crc.update(piece.span)
      position = end
    }
    guard crc.value == entry.checksum else {
      throw TorchArchiveError(
        source: bytes.name, problem: .zip(reason: "a checksum differs", member: entry.name))
    }
  }

  /// The bytes of a member, checked.
  ///
  /// - Precondition: the caller has checked that a count of this size may be allocated.
  package func read(_ entry: Entry) throws(TorchArchiveError) -> [UInt8] {
    try check(entry)
    return try bytes.zipBytes(entry.range)
  }

  /// Where the central directory lies, and how many members it has.
  private static func directory(
    of bytes: ByteSource
  ) throws(TorchArchiveError) -> (range: Range<Int>, count: Int) {
    let tailStart = max(0, bytes.byteCount - 22 - 0xFFFF)
    let tail = try bytes.zipBytes(tailStart..<bytes.byteCount)
    // The end record is followed by a comment whose length it knows.
    let found = stride(from: tail.count - 22, through: 0, by: -1).first { index in
      tail[index..<index + 4].elementsEqual([0x50, 0x4B, 5, 6])
        && Int(tail[index + 20]) + Int(tail[index + 21]) << 8 == tail.count - index - 22
    }
    guard let found else {
      throw TorchArchiveError(
        source: bytes.name, problem: .zip(reason: "its directory is missing", member: nil))
    }
    var fields = ZipFields(Array(tail[found...]), start: tailStart + found, source: bytes.name)
    try fields.skip(4)
    let disks = (try fields.number(2), try fields.number(2))
    var (countHere, count) = (try fields.number(2), try fields.number(2))
    var (size, start) = (try fields.number(4), try fields.number(4))
    guard disks == (0, 0) || disks == (0xFFFF, 0xFFFF) else {
      throw fields.failure("it spans several disks")
    }
    var end = tailStart + found
    if count == 0xFFFF || size == 0xFFFF_FFFF || start == 0xFFFF_FFFF {
      let place = try largeDirectory(of: bytes, locatorEnd: end)
      (countHere, count, size, start, end) =
        (place.count, place.count, place.size, place.start, place.recordStart)
    }
    guard countHere == count, start <= end, size <= end - start, count <= size / 46 else {
      throw fields.failure(
        "its directory lies outside, or counts more members than it has room for")
    }
    return (start..<start + size, count)
  }

  /// The same from the records of zip64, which stand before the end record.
  private static func largeDirectory(
    of bytes: ByteSource, locatorEnd: Int
  ) throws(TorchArchiveError) -> (count: Int, size: Int, start: Int, recordStart: Int) {
    var locator = ZipFields(
      try bytes.zipBytes(max(0, locatorEnd - 20)..<locatorEnd), start: max(0, locatorEnd - 20),
      source: bytes.name)
    try locator.expect([0x50, 0x4B, 6, 7])
    try locator.skip(4)
    let recordStart = try locator.number(8)
    guard recordStart <= locatorEnd - 20, locatorEnd - 20 - recordStart >= 56 else {
      throw locator.failure("its zip64 record lies outside")
    }
    var record = ZipFields(
      try bytes.zipBytes(recordStart..<recordStart + 56), start: recordStart, source: bytes.name)
    try record.expect([0x50, 0x4B, 6, 6])
    try record.skip(20)
    let (countHere, count) = (try record.number(8), try record.number(8))
    guard countHere == count else { throw record.failure("it spans several disks") }
    return (count, try record.number(8), try record.number(8), recordStart)
  }

  private static func entry(
    _ fields: inout ZipFields, in bytes: ByteSource, before limit: Int
  ) throws(TorchArchiveError) -> Entry {
    try fields.expect([0x50, 0x4B, 1, 2])
    try fields.skip(4)
    let (flags, method) = (try fields.number(2), try fields.number(2))
    try fields.skip(4)
    let checksum = UInt32(truncatingIfNeeded: try fields.number(4))
    var (packed, size) = (try fields.number(4), try fields.number(4))
    let lengths = (try fields.number(2), try fields.number(2), try fields.number(2))
    try fields.skip(8)
    var start = try fields.number(4)
    let name = try fields.string(lengths.0)
    try fields.readLargeSizes(
      byteCount: lengths.1, size: &size, packed: &packed, start: &start)
    try fields.skip(lengths.2)
    guard flags & 0x2041 == 0 else { throw fields.failure("a member is encrypted", name) }
    guard method == 0, packed == size else {
      throw fields.failure("a member is compressed, which torch.save doesn't do", name)
    }
    guard start <= limit, limit - start >= 30 else {
      throw fields.failure("a member lies outside", name)
    }
    var local = ZipFields(
      try bytes.zipBytes(start..<min(limit, start + 30 + name.utf8.count)), start: start,
      source: bytes.name)
    try local.expect([0x50, 0x4B, 3, 4])
    try local.skip(22)
    let localLengths = (try local.number(2), try local.number(2))
    guard localLengths.0 == name.utf8.count, try local.string(localLengths.0) == name else {
      throw fields.failure("a member has two names", name)
    }
    let data = start + 30 + localLengths.0 + localLengths.1
    guard data <= limit, size <= limit - data else {
      throw fields.failure("a member lies outside", name)
    }
    return Entry(name: name, range: data..<data + size, checksum: checksum)
  }
}
