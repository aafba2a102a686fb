import CArchive
import Glibc

/// Reads the files in a tar, one behind the other: the only file here that calls libarchive.
///
/// POSIX (pax), ustar and GNU tars; plain, or compressed with gzip, zstd, xz or bzip2. Tars that were
/// joined by `cat` are one. Folders are passed over, and unless they are refused links and devices.
/// A tar without its end marker is cut off, even where the cut is between members.
@safe package final class TarReader {
  /// What a reader refuses to take memory for.
  package struct Limits: Hashable, Sendable {
    /// The most bytes that a member may have.
    package var memberByteCount: Int
    /// The most members of all kinds.
    package var memberCount: Int

    /// Limits: 1 GiB a member, and ten million of them.
    package init(memberByteCount: Int = 1 << 30, memberCount: Int = 10_000_000) {
      self.memberByteCount = memberByteCount
      self.memberCount = memberCount
    }
  }

  /// A file in a tar.
  package struct Member: Hashable, Sendable {
    /// Its path: relative, without `.` and `..`.
    package let name: String
    /// Its size.
    package let byteCount: Int
    /// When it was modified, in seconds since 1970.
    package let modificationTime: Int
  }

  /// What messages call it.
  package let path: String
  private let limits: Limits
  private let refusesOtherKinds: Bool
  private let archive: OpaquePointer
  /// The size of the tar as it lies there; greater than any if that isn't known.
  private let fileByteCount: Int
  private var headerCount = 0
  private var current: Member?
  /// Where the bytes of the last file begin, and where its blocks end.
  private var dataStart = 0
  private var lastEnd = 0

  private static let blockByteCount = 512
  private static let bufferByteCount = 1 << 18

  /// Opens a tar.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - limits: What is refused.
  ///   - refusesOtherKinds: Whether links and devices are errors; else they are passed over.
  /// - Throws: ``TarError/unreadable(path:reason:)``.
  package convenience init(
    path: String, limits: Limits = Limits(), refusesOtherKinds: Bool = false
  ) throws(TarError) {
    var status = stat()
    let isPlain = unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    try self.init(
      path: path, byteCount: isPlain ? Int(status.st_size) : .max, limits: limits,
      refusesOtherKinds: refusesOtherKinds)
    guard unsafe archive_read_open_filename(archive, path, Self.bufferByteCount) == ARCHIVE_OK
    else { throw .unreadable(path: path, reason: lastReason) }
  }

  /// A tar that comes through standard input.
  ///
  /// - Throws: ``TarError/unreadable(path:reason:)``.
  package convenience init(
    standardInputLimits limits: Limits, refusesOtherKinds: Bool
  ) throws(TarError) {
    try self.init(
      path: "standard input", byteCount: .max, limits: limits,
      refusesOtherKinds: refusesOtherKinds)
    guard unsafe archive_read_open_fd(archive, STDIN_FILENO, Self.bufferByteCount) == ARCHIVE_OK
    else { throw .unreadable(path: path, reason: lastReason) }
  }

  private init(
    path: String, byteCount: Int, limits: Limits, refusesOtherKinds: Bool
  ) throws(TarError) {
    self.path = path
    self.limits = limits
    self.refusesOtherKinds = refusesOtherKinds
    fileByteCount = byteCount
    guard let archive = unsafe archive_read_new() else {
      throw .unreadable(path: path, reason: "no memory")
    }
    unsafe self.archive = archive
    unsafe archive_read_support_format_tar(archive)
    unsafe archive_read_support_filter_gzip(archive)
    unsafe archive_read_support_filter_zstd(archive)
    unsafe archive_read_support_filter_xz(archive)
    unsafe archive_read_support_filter_bzip2(archive)
    // What stands behind the end mark of a tar must not be lost without a word.
    unsafe archive_read_set_format_option(archive, "tar", "read_concatenated_archives", "1")
  }

  deinit {
    unsafe archive_read_free(archive)
  }

  // MARK: One behind the other

  /// The next file; nil at the end.
  ///
  /// - Throws: ``TarError``.
  package func next() throws(TarError) -> Member? {
    while let header = try advance() {
      if let member = header.member { return member }
    }
    return nil
  }

  /// The bytes of the file that ``next()`` found last.
  ///
  /// - Throws: ``TarError``.
  /// - Precondition: there is such a file, and its bytes weren't read before.
  package func bytes() throws(TarError) -> [UInt8] {
    guard let member = current else { preconditionFailure("no member of \(path) is open") }
    current = nil
    guard member.byteCount <= limits.memberByteCount else {
      throw .tooLarge(
        path: path, member: member.name, byteCount: member.byteCount, limit: limits.memberByteCount)
    }
    var status = 0
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: member.byteCount) { buffer, count in
      while count < member.byteCount, let start = buffer.baseAddress {
        status = unsafe archive_read_data(archive, start + count, member.byteCount - count)
        guard status > 0 else { return }
        count += status
      }
    }
    guard bytes.count == member.byteCount else {
      throw status == 0
        ? .cutOff(path: path, wholeCount: headerCount - 1) : failure(headerCount - 1)
    }
    return bytes
  }

  // MARK: In any order

  /// Where the files of a tar lie in it.
  ///
  /// Just headers are read.
  ///
  /// - Returns: the files in their order, each with the place of its bytes.
  /// - Throws: ``TarError``, also for a tar that is compressed.
  package static func index(
    of path: String, limits: Limits = Limits()
  ) throws(TarError) -> [(member: Member, range: Range<Int>)] {
    let (members, problem) = wholeMembers(of: path, limits: limits)
    if let problem { throw problem }
    return members
  }

  /// The same as ``index(of:limits:)`` of a tar that may be cut off or damaged: what is whole of it,
  /// and what is wrong with it.
  package static func wholeMembers(
    of path: String, limits: Limits = Limits()
  ) -> (members: [(member: Member, range: Range<Int>)], problem: TarError?) {
    var found: [(member: Member, range: Range<Int>)] = []
    do throws(TarError) {
      let reader = try TarReader(path: path, limits: limits)
      while let header = try reader.advance() {
        guard !reader.isCompressed else { throw .compressed(path: path) }
        guard let member = header.member else { continue }
        if header.isSparse { throw .sparse(path: path, member: member.name) }
        let end = reader.dataStart + member.byteCount
        guard end <= reader.fileByteCount else { continue }  // the next header will be missing
        found.append((member, reader.dataStart..<end))
      }
      return (found, nil)
    } catch {
      return (found, error)
    }
  }

  // MARK: Headers

  private var isCompressed: Bool { unsafe archive_filter_count(archive) > 1 }

  /// How many members came before what is missing.
  private var wholeCount: Int {
    isCompressed || lastEnd <= fileByteCount ? headerCount : max(0, headerCount - 1)
  }

  /// Where the last header begins, or the end marker.
  private var position: Int { unsafe Int(archive_read_header_position(archive)) }

  private struct Header {
    /// Nil for what is no file.
    var member: Member?
    var isSparse: Bool
  }

  /// The next header of any kind; nil at the end.
  private func advance() throws(TarError) -> Header? {
    var entry: OpaquePointer?
    let status = unsafe archive_read_next_header(archive, &entry)
    current = nil
    // What was passed over needn't have been there.
    guard isCompressed || position <= fileByteCount else {
      throw .cutOff(path: path, wholeCount: wholeCount)
    }
    if status == ARCHIVE_EOF {
      try checkEnd()
      return nil
    }
    guard status == ARCHIVE_OK || status == ARCHIVE_WARN, let entry = unsafe entry else {
      throw failure(wholeCount)
    }
    headerCount += 1
    lastEnd = 0
    guard headerCount <= limits.memberCount else {
      throw .tooMany(path: path, limit: limits.memberCount)
    }
    guard unsafe archive_entry_filetype(entry) == S_IFREG,
      unsafe archive_entry_hardlink(entry) == nil
    else {
      if refusesOtherKinds, let kind = unsafe kind(of: entry) {
        throw .notAFile(path: path, member: try unsafe name(of: entry), kind: kind)
      }
      return Header(member: nil, isSparse: false)
    }
    let size = unsafe Int(archive_entry_size(entry))
    let name = try checked(unsafe name(of: entry))
    guard size >= 0, size <= limits.memberByteCount else {
      throw .tooLarge(path: path, member: name, byteCount: size, limit: limits.memberByteCount)
    }
    current = Member(
      name: name, byteCount: size, modificationTime: unsafe archive_entry_mtime(entry))
    let blockCount = (size + Self.blockByteCount - 1) / Self.blockByteCount
    dataStart = unsafe Int(archive_filter_bytes(archive, 0))
    lastEnd = dataStart + blockCount * Self.blockByteCount
    return Header(member: current, isSparse: unsafe archive_entry_sparse_count(entry) > 0)
  }

  /// What an entry is that isn't a file; nil for a folder.
  private func kind(of entry: OpaquePointer) -> String? {
    if unsafe archive_entry_hardlink(entry) != nil { return "a hard link" }
    switch unsafe archive_entry_filetype(entry) {
    case S_IFDIR: return nil
    case S_IFLNK: return "a symbolic link"
    default: return "a device, a pipe or a socket"
    }
  }

  private func name(of entry: OpaquePointer) throws(TarError) -> String {
    // Old tars don't say what their names' bytes are: then these are taken as they stand.
    let name =
      unsafe archive_entry_pathname_utf8(entry).flatMap { unsafe String(validatingCString: $0) }
      ?? archive_entry_pathname(entry).flatMap { unsafe String(validatingCString: $0) }
    if let name { return name }
    throw .undecodableName(path: path, number: headerCount)
  }

  private func checked(_ name: String) throws(TarError) -> String {
    let parts = name.split(separator: "/", omittingEmptySubsequences: true)
    guard !name.hasPrefix("/"), !parts.contains(".."), !parts.isEmpty else {
      throw .unsafeName(path: path, member: name)
    }
    return parts.filter { $0 != "." }.joined(separator: "/")
  }

  /// libarchive takes the end of the file for that of the tar, whose marker is at least a block.
  private func checkEnd() throws(TarError) {
    let marker = unsafe Int(archive_filter_bytes(archive, 0)) - position
    guard marker >= Self.blockByteCount else { throw .cutOff(path: path, wholeCount: headerCount) }
  }

  // MARK: Errors

  private var lastReason: String {
    unsafe archive_error_string(archive).map { unsafe String(cString: $0) } ?? "no reason is known"
  }

  private func failure(_ wholeCount: Int) -> TarError {
    let reason = lastReason
    if reason.lowercased().contains("truncated") || reason.contains("end-of-file") {
      return .cutOff(path: path, wholeCount: wholeCount)
    }
    return headerCount == 0
      ? .unreadable(path: path, reason: reason)
      : .damaged(path: path, wholeCount: wholeCount, reason: reason)
  }
}
