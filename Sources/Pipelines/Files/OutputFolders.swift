import Synchronization

/// The folders that a run writes into: made when needed, cleared of what killed runs left, and put
/// on the disk once in the end rather than once a file.
package final class OutputFolders: Sendable {
  private let used = Mutex<Set<String>>([])

  package init() {}

  /// Writes a whole file, whose folder is made if it is missing.
  ///
  /// The file's bytes are on the disk when this returns; its name is after ``finish()``.
  ///
  /// - Throws: ``FileError``.
  package func write(_ bytes: [UInt8], to path: String) throws(FileError) {
    let file = try open(path)
    try file.write(bytes)
    try file.commit(syncingFolder: false)
  }

  /// Starts to write a file, whose folder is made if it is missing.
  ///
  /// Commit it with `syncingFolder: false`.
  ///
  /// - Throws: ``FileError``.
  package func open(_ path: String) throws(FileError) -> AtomicFile {
    let folder = PathText.parent(of: path) ?? "/"
    let isNew = used.withLock { $0.insert(folder).inserted }
    if isNew {
      try SystemCalls.makeFolder(folder)
      AtomicFile.removeStaleTemporaries(in: folder)
      return try AtomicFile(replacing: path)
    }
    do throws(FileError) {
      return try AtomicFile(replacing: path)
    } catch {
      guard error.code == SystemCalls.noSuchFile else { throw error }
      // Another thread was first, and is still making it.
      try SystemCalls.makeFolder(folder)
      return try AtomicFile(replacing: path)
    }
  }

  /// Puts the names of all files on the disk.
  ///
  /// - Throws: The first ``FileError``, after all folders were tried.
  package func finish() throws(FileError) {
    let folders = used.withLock { folders in
      defer { folders = [] }
      return folders
    }
    var failure: FileError?
    for folder in folders.sorted() {
      do throws(FileError) {
        try SystemCalls.syncFolder(folder)
      } catch {
        failure = failure ?? error
      }
    }
    if let failure { throw failure }
  }
}
