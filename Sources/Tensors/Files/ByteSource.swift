package import FoundationEssentials
import Glibc

/// Bytes that are read in pieces: a file, a part of one, or memory.
///
/// A file is read with `pread` rather than mapped: what is wanted goes straight to its place, and
/// a file that another process cuts short is an error and not a signal.
@safe package final class ByteSource: Sendable {
  /// What messages call it: a file's path, or "bytes in memory".
  package let name: String
  /// The number of bytes.
  package let byteCount: Int
  private let memory: [UInt8]?
  private let descriptor: CInt
  /// Where the first byte lies in the file.
  private let start: Int

  /// The bytes of `memory`.
  package init(_ memory: [UInt8], name: String = "bytes in memory") {
    self.name = name
    self.memory = memory
    byteCount = memory.count
    descriptor = -1
    start = 0
  }

  /// The bytes of a file, which stays open while this object lives.
  ///
  /// With `range` just those, as if they were a file of their own.
  package init(contentsOf url: URL, in range: Range<Int>? = nil) throws(ByteSourceError) {
    name = url.path
    memory = nil
    let descriptor = unsafe open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      throw ByteSourceError(name: name, reason: "cannot be opened: \(Self.systemError())")
    }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw ByteSourceError(name: name, reason: "is not a regular file; give a file's path")
    }
    let range = range ?? 0..<Int(status.st_size)
    guard range.lowerBound >= 0, range.upperBound <= Int(status.st_size) else {
      close(descriptor)
      throw ByteSourceError(
        name: name,
        reason: "ends at byte \(status.st_size); bytes up to \(range.upperBound) were wanted")
    }
    self.descriptor = descriptor
    (start, byteCount) = (range.lowerBound, range.count)
  }

  /// All bytes of a file that has no more than `limit` of them.
  package static func bytes(
    contentsOf url: URL, limit: Int
  ) throws(ByteSourceError) -> [UInt8] {
    let file = try ByteSource(contentsOf: url)
    guard file.byteCount <= limit else {
      throw ByteSourceError(
        name: url.path, reason: "is larger than the limit of \(limit) bytes")
    }
    return try file.bytes(in: 0..<file.byteCount)
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
  }

  private static func systemError() -> String {
    unsafe String(cString: strerror(errno))
  }

  /// Fills `buffer` with the bytes from `offset` on.
  package func read(
    at offset: Int, into buffer: UnsafeMutableRawBufferPointer
  ) throws(ByteSourceError) {
    guard offset >= 0, offset <= byteCount, buffer.count <= byteCount - offset else {
      throw ByteSourceError(
        name: name, reason: "ends at byte \(byteCount); byte \(offset) on were wanted")
    }
    if let memory {
      unsafe memory.withUnsafeBytes { bytes in
        unsafe buffer.copyMemory(
          from: UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + buffer.count]))
      }
      return
    }
    var done = 0
    while done < buffer.count {
      let place = unsafe buffer.baseAddress.map { unsafe $0 + done }
      let got = unsafe pread(
        descriptor, place, min(buffer.count - done, 1 << 30), start + offset + done)
      if got < 0 && errno == EINTR { continue }
      guard got > 0 else {
        let reason = got == 0 ? "was cut short while it was read" : Self.systemError()
        throw ByteSourceError(name: name, reason: reason)
      }
      done += got
    }
  }

  /// A copy of the bytes in `range`.
  ///
  /// - Precondition: the caller has checked that a count of this size may be allocated.
  package func bytes(in range: Range<Int>) throws(ByteSourceError) -> [UInt8] {
    guard range.lowerBound >= 0, range.upperBound <= byteCount else {
      throw ByteSourceError(
        name: name, reason: "ends at byte \(byteCount); bytes up to \(range.upperBound) were wanted"
      )
    }
    var failure: ByteSourceError?
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: range.count) { buffer, count in
      do throws(ByteSourceError) {
        try unsafe read(at: range.lowerBound, into: UnsafeMutableRawBufferPointer(buffer))
        count = range.count
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return bytes
  }
}

/// Why bytes can't be had.
package struct ByteSourceError: Error, Hashable {
  /// The source's name.
  package let name: String
  /// What is wrong; reads on from the name.
  package let reason: String

  package init(name: String, reason: String) {
    self.name = name
    self.reason = reason
  }
}
