import Glibc

/// Why a temporary file can't hold what memory doesn't.
public struct SpillError: Error, Sendable, Equatable, CustomStringConvertible {
  /// Where the file was to lie.
  public let folder: String
  /// The system's number of the error.
  public let code: Int32

  /// What is wrong, and what to do.
  public var description: String {
    let reason = unsafe String(cString: strerror(code))
    return "a temporary file in \(folder) can't be written: \(reason); free space there, name "
      + "another folder with TMPDIR, or allow more memory with --memory"
  }
}

/// Floats in a file without a name: it goes with this object, or with the process.
package final class SpillFile {
  private let descriptor: Int32
  private let folder: String
  private static let mode: mode_t = 0o600

  /// An empty file in a folder, by default `$TMPDIR` or `/var/tmp`, which is on a disk more often
  /// than `/tmp`.
  ///
  /// - Throws: ``SpillError``.
  package init(in folder: String? = nil) throws(SpillError) {
    let named = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) }
    let folder = folder ?? named ?? "/var/tmp"
    self.folder = folder
    // O_TMPFILE, which Swift doesn't import, contains O_DIRECTORY.
    let unnamed: Int32 = 0o20000000 | O_DIRECTORY
    let opened = unsafe open(folder, unnamed | O_RDWR | O_CLOEXEC, Self.mode)
    if opened >= 0 {
      descriptor = opened
      return
    }
    // Some file systems have no unnamed files.
    var template = Array((folder + "/lvae-XXXXXX").utf8CString)
    let made = unsafe mkstemp(&template)
    guard made >= 0 else { throw SpillError(folder: folder, code: errno) }
    unsafe unlink(template)
    descriptor = made
  }

  deinit {
    close(descriptor)
  }

  /// Writes floats at a place, counted in floats.
  ///
  /// - Throws: ``SpillError``, for instance when the disk is full.
  package func write(
    _ scalars: UnsafeBufferPointer<Float>, at place: Int
  ) throws(SpillError) {
    try unsafe transfer(UnsafeRawBufferPointer(scalars), at: place) {
      unsafe pwrite(descriptor, $0, $1, $2)
    }
  }

  /// Reads floats from a place, counted in floats.
  ///
  /// - Throws: ``SpillError``.
  package func read(
    into scalars: UnsafeMutableBufferPointer<Float>, at place: Int
  ) throws(SpillError) {
    try unsafe transfer(UnsafeRawBufferPointer(scalars), at: place) {
      unsafe pread(descriptor, UnsafeMutableRawPointer(mutating: $0), $1, $2)
    }
  }

  private func transfer(
    _ bytes: UnsafeRawBufferPointer, at place: Int,
    _ call: (UnsafeRawPointer, Int, Int) -> Int
  ) throws(SpillError) {
    guard let base = bytes.baseAddress else { return }
    var done = 0
    while done < bytes.count {
      let count = unsafe call(
        base + done, bytes.count - done, place * MemoryLayout<Float>.stride + done)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw SpillError(folder: folder, code: count < 0 ? errno : EIO) }
      done += count
    }
  }
}
