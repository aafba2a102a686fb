import CArchive
import Glibc
import Tensors

/// A zip of a few members that are held in memory, as `numpy.savez` writes them.
@safe package struct ZipArchive: Sendable {
  /// The members in their order.
  package private(set) var members: [(name: String, bytes: [UInt8])] = []

  /// The most members that are read.
  private static let mostMembers = 1024
  private static let pieceByteCount = 1 << 18
  private static let format = ".npz"

  /// An empty one.
  package init() {}

  /// Reads the members of a zip, stored or deflated.
  ///
  /// - Parameters:
  ///   - bytes: The zip.
  ///   - limit: The most bytes that all members have together.
  /// - Throws: ``InterchangeError``, also if a name stands there twice.
  package init(decoding bytes: [UInt8], limit: Int = 1 << 30) throws(InterchangeError) {
    // So begin a member, and the end of an empty zip.
    guard bytes.starts(with: [0x50, 0x4B, 3, 4]) || bytes.starts(with: [0x50, 0x4B, 5, 6]) else {
      throw .damaged(format: Self.format, reason: "it doesn't begin as a zip")
    }
    var failure: InterchangeError?
    var found: [(name: String, bytes: [UInt8])] = []
    unsafe bytes.withUnsafeBytes { buffer in
      do throws(InterchangeError) {
        found = try unsafe Self.members(of: buffer, limit: limit)
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    guard Set(found.map(\.name)).count == found.count else {
      throw .damaged(format: Self.format, reason: "two members have one name")
    }
    members = found
  }

  private static func members(
    of buffer: UnsafeRawBufferPointer, limit: Int
  ) throws(InterchangeError) -> [(name: String, bytes: [UInt8])] {
    guard let archive = unsafe archive_read_new() else {
      throw .damaged(format: format, reason: "no memory")
    }
    defer { unsafe archive_read_free(archive) }
    unsafe archive_read_support_format_zip_seekable(archive)
    func damaged() -> InterchangeError {
      let reason = unsafe archive_error_string(archive).map { unsafe String(cString: $0) }
      return .damaged(format: format, reason: reason ?? "it can't be read")
    }
    guard
      unsafe archive_read_open_memory(archive, buffer.baseAddress, buffer.count) == ARCHIVE_OK
    else { throw damaged() }
    var members: [(name: String, bytes: [UInt8])] = []
    var room = limit
    while true {
      var entry: OpaquePointer?
      let status = unsafe archive_read_next_header(archive, &entry)
      if status == ARCHIVE_EOF { return members }
      guard status == ARCHIVE_OK || status == ARCHIVE_WARN, let entry = unsafe entry,
        let name = unsafe archive_entry_pathname(entry).flatMap({
          unsafe String(validatingCString: $0)
        })
      else { throw damaged() }
      let size = unsafe Int(archive_entry_size(entry))
      guard members.count < mostMembers, size >= 0, size <= room else {
        throw .tooLarge(format: format, byteCount: size, limit: limit)
      }
      room -= size
      // Memory is taken for what is there, and not for what a header says.
      var bytes: [UInt8] = []
      var read = 1
      while read > 0, bytes.count <= size {
        let piece = unsafe [UInt8](unsafeUninitializedCapacity: pieceByteCount) { target, count in
          read = unsafe archive_read_data(archive, target.baseAddress, target.count)
          count = max(0, read)
        }
        guard read >= 0 else { throw damaged() }
        bytes += piece
      }
      guard bytes.count == size else {
        throw .damaged(format: format, reason: "\(name) has not the size that it says")
      }
      members.append((name, bytes))
    }
  }

  // MARK: Writing

  /// Adds a member.
  package mutating func add(_ name: String, _ bytes: [UInt8]) {
    members.append((name, bytes))
  }

  /// The zip's bytes, its members stored as they are; the same members give the same bytes.
  ///
  /// - Precondition: It has less than 4 GiB.
  package var encoded: [UInt8] {
    var zip: [UInt8] = []
    var directory: [UInt8] = []
    for (name, bytes) in members {
      // Version 2.0; a name in UTF-8; not compressed; at midnight of 1 January 1980, zip's first.
      let common =
        Self.little(20, 2) + Self.little(0x800, 2) + Self.little(0, 2) + Self.little(0, 2)
        + Self.little(0x21, 2) + Self.little(Int(CRC32.checksum(bytes.span)), 4)
        + Self.little(bytes.count, 4) + Self.little(bytes.count, 4)
        + Self.little(name.utf8.count, 2) + Self.little(0, 2)
      directory +=
        [0x50, 0x4B, 1, 2] + Self.little(20, 2) + common + Self.little(0, 2) + Self.little(0, 2)
        + Self.little(0, 2) + Self.little(0, 4) + Self.little(zip.count, 4) + Array(name.utf8)
      zip += [0x50, 0x4B, 3, 4] + common + Array(name.utf8) + bytes
    }
    precondition(zip.count + directory.count < 1 << 32, "a zip of \(zip.count) bytes")
    return zip + directory + [0x50, 0x4B, 5, 6] + Self.little(0, 2) + Self.little(0, 2)
      + Self.little(members.count, 2) + Self.little(members.count, 2)
      + Self.little(directory.count, 4) + Self.little(zip.count, 4) + Self.little(0, 2)
  }

  private static func little(_ value: Int, _ byteCount: Int) -> [UInt8] {
    (0..<byteCount).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
}
