/// A file that appears under its name only when it is whole.
///
/// The bytes go to a temporary file in the same folder, `.photo.latent.x7Kq2f.lvae.tmp`, which
/// ``commit(syncingFolder:)`` puts on the disk and renames. If the object goes before that, the
/// temporary file is removed. A run that is killed leaves its temporary files:
/// ``removeStaleTemporaries(in:)`` clears them away. A lock tells them from those of a run that
/// still works; the system frees it when its holder dies.
///
/// (An unnamed file, `O_TMPFILE`, would leave nothing, but it can't replace a file that exists, and
/// network and overlay file systems often lack it.)
package final class AtomicFile {
  /// Where the file appears.
  package let path: String
  private let temporaryPath: String
  private let descriptor: FileDescriptor
  private var isFinished = false

  /// Starts to write a file, which replaces the one at `path` in the end.
  ///
  /// - Throws: ``FileError``, also if `path` is there and is not a plain file.
  package init(replacing path: String) throws(FileError) {
    self.path = path
    if let found = try? SystemCalls.status(of: path), found.kind != .file {
      // A rename would replace a device such as /dev/null.
      let code = found.kind == .folder ? SystemCalls.isAFolder : SystemCalls.unsupported
      throw FileError("write", path, code: code)
    }
    (temporaryPath, descriptor) = try Self.makeTemporary(for: path)
  }

  deinit {
    if !isFinished { try? SystemCalls.remove(temporaryPath) }
  }

  /// Adds bytes at the end.
  ///
  /// - Throws: ``FileError``, for instance when the disk is full.
  package func write(_ bytes: Span<UInt8>) throws(FileError) {
    do throws(FileError) {
      try descriptor.write(bytes)
    } catch {
      throw FileError(error.action, path, code: error.code)
    }
  }

  /// Adds bytes at the end.
  ///
  /// - Throws: ``FileError``, for instance when the disk is full.
  package func write(_ bytes: [UInt8]) throws(FileError) {
    try write(bytes.span)
  }

  /// Puts the bytes on the disk and the file in its place.
  ///
  /// - Parameter syncingFolder: Whether to wait until the new name is on the disk, too. Without
  ///   it a power cut may undo the file, but never leave half of it; ``OutputFolders`` does it once
  ///   a folder.
  /// - Throws: ``FileError``; then the old file, if any, is still there.
  /// - Precondition: Called once.
  package func commit(syncingFolder: Bool = true) throws(FileError) {
    precondition(!isFinished, "\(path) was committed before")
    do throws(FileError) {
      try descriptor.sync()
    } catch {
      throw FileError(error.action, path, code: error.code)
    }
    try SystemCalls.rename(temporaryPath, to: path)
    isFinished = true
    if syncingFolder { try SystemCalls.syncFolder(PathText.parent(of: path) ?? "/") }
  }

  /// Writes a whole file in one go.
  ///
  /// - Throws: ``FileError``; then the old file, if any, is still there.
  package static func write(
    _ bytes: [UInt8], to path: String, syncingFolder: Bool = true
  ) throws(FileError) {
    let file = try AtomicFile(replacing: path)
    try file.write(bytes)
    try file.commit(syncingFolder: syncingFolder)
  }
}

// MARK: Temporary files

extension AtomicFile {
  private static let suffix = ".lvae.tmp"
  private static let randomCount = 6
  private static let alphabet = Array(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
  /// Longest name that file systems take, in bytes.
  private static let longestName = 255

  /// A new temporary file, locked.
  private static func makeTemporary(
    for path: String
  ) throws(FileError) -> (path: String, descriptor: FileDescriptor) {
    while true {
      let temporary = temporaryPath(for: path)
      do throws(FileError) {
        let file = try FileDescriptor(creating: temporary)
        // A file system without locks grants none; then nobody can clear this file away either.
        _ = file.lock(waiting: true)
        // Somebody who cleared up may have had the lock before us, and removed the file.
        if try file.status().linkCount > 0 { return (temporary, file) }
      } catch {
        guard error.code == SystemCalls.alreadyExists else {
          throw FileError(error.action, path, code: error.code)
        }
      }
    }
  }

  private static func temporaryPath(for path: String) -> String {
    let random = String((0..<randomCount).compactMap { _ in alphabet.randomElement() })
    let roomForName = longestName - suffix.utf8.count - randomCount - 2
    var name = PathText.name(of: path)
    // A name that is itself too long is refused under the name that the user knows.
    if name.utf8.count <= longestName {
      while name.utf8.count > roomForName { name.removeLast() }
    }
    let folder = PathText.parent(of: path) ?? "/"
    return PathText.join(folder, ".\(name).\(random)\(suffix)")
  }

  /// Whether a file with this name is one of ours that was not finished.
  package static func isTemporary(name: String) -> Bool {
    guard name.hasPrefix("."), name.hasSuffix(suffix) else { return false }
    let parts = name.dropLast(suffix.count).split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count >= 3, let random = parts.last else { return false }
    return random.count == randomCount && random.allSatisfy(alphabet.contains)
  }

  /// Removes the temporary files that runs which ended left in a folder; not those of runs that
  /// still write.
  ///
  /// - Returns: How many were removed. What can't be listed or removed is left without an error.
  @discardableResult
  package static func removeStaleTemporaries(in folder: String) -> Int {
    guard let entries = try? SystemCalls.entries(ofFolder: folder) else { return 0 }
    var count = 0
    for entry in entries {
      guard let name = String(validating: entry.name, as: UTF8.self), isTemporary(name: name) else {
        continue
      }
      let path = PathText.join(folder, name)
      guard let file = try? FileDescriptor(opening: path), file.lock(waiting: false),
        let opened = try? file.status(), opened.kind == .file,
        let named = try? SystemCalls.status(of: path, followingLinks: false),
        named.identity == opened.identity,
        (try? SystemCalls.remove(path)) != nil
      else { continue }
      count += 1
    }
    return count
  }
}
