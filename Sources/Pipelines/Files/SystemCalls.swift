import Glibc

/// The system's calls that this module needs, without pointers: the only file here with `unsafe`.
enum SystemCalls {
  static let noSpace = ENOSPC
  static let quotaExceeded = EDQUOT
  static let readOnly = EROFS
  static let noAccess = EACCES
  static let notPermitted = EPERM
  static let noSuchFile = ENOENT
  static let notAFolder = ENOTDIR
  static let isAFolder = EISDIR
  static let nameTooLong = ENAMETOOLONG
  static let tooManyOpenFiles = EMFILE
  static let inputOutput = EIO
  static let alreadyExists = EEXIST
  static let unsupported = EINVAL

  /// What `strerror` says of an error number.
  static func message(for code: Int32) -> String {
    var bytes = [CChar](repeating: 0, count: 256)
    guard unsafe strerror_r(code, &bytes, bytes.count) == 0 else { return "error \(code)" }
    return String(decoding: bytes.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}

// MARK: What is where

/// One file or folder, wherever and under however many names it is.
struct FileIdentity: Hashable, Sendable {
  var device: UInt64
  var inode: UInt64
}

/// What kind of thing a name stands for.
enum FileKind: Sendable {
  case file, folder, symbolicLink, other, unknown
}

extension SystemCalls {
  struct Status {
    var identity: FileIdentity
    var kind: FileKind
    var linkCount: Int
    var byteCount: Int

    fileprivate init(_ status: stat) {
      identity = FileIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
      linkCount = Int(status.st_nlink)
      byteCount = Int(status.st_size)
      kind =
        switch status.st_mode & S_IFMT {
        case S_IFREG: .file
        case S_IFDIR: .folder
        case S_IFLNK: .symbolicLink
        default: .other
        }
    }
  }

  /// `stat`, or `lstat` if links are not followed.
  static func status(of path: String, followingLinks: Bool = true) throws(FileError) -> Status {
    var found = stat()
    let flags = followingLinks ? 0 : AT_SYMLINK_NOFOLLOW
    guard unsafe fstatat(AT_FDCWD, path, &found, flags) == 0 else {
      throw FileError("find", path, code: errno)
    }
    return Status(found)
  }

  /// `realpath`: no links, no `..`.
  static func realPath(of path: String) throws(FileError) -> String {
    guard let resolved = unsafe realpath(path, nil) else {
      throw FileError("find", path, code: errno)
    }
    defer { unsafe free(resolved) }
    return unsafe String(cString: resolved)
  }

  struct FolderEntry {
    /// The name's bytes, which need not be UTF-8.
    var name: [UInt8]
    var kind: FileKind
  }

  /// What a folder holds, without `.` and `..`, in the system's order.
  static func entries(ofFolder path: String) throws(FileError) -> [FolderEntry] {
    guard let folder = unsafe opendir(path) else { throw FileError("list", path, code: errno) }
    defer { unsafe closedir(folder) }
    var entries: [FolderEntry] = []
    while true {
      errno = 0
      guard let entry = unsafe readdir(folder) else { break }
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { name in
        let length = unsafe strlen(UnsafeRawPointer(name).assumingMemoryBound(to: CChar.self))
        return unsafe Array(UnsafeRawBufferPointer(start: name, count: length))
      }
      if name == [0x2E] || name == [0x2E, 0x2E] { continue }
      let kind: FileKind =
        switch unsafe Int(entry.pointee.d_type) {
        case Int(DT_REG): .file
        case Int(DT_DIR): .folder
        case Int(DT_LNK): .symbolicLink
        case Int(DT_UNKNOWN): .unknown
        default: .other
        }
      entries.append(FolderEntry(name: name, kind: kind))
    }
    guard errno == 0 else { throw FileError("list", path, code: errno) }
    return entries
  }
}

// MARK: Writing

extension SystemCalls {
  /// Makes a folder, and those above it that are missing.
  static func makeFolder(_ path: String) throws(FileError) {
    if unsafe mkdir(path, 0o777) == 0 { return }
    let code = errno
    if let found = try? status(of: path) {
      guard found.kind == .folder else { throw FileError("make the folder", path, code: ENOTDIR) }
      return
    }
    guard code == ENOENT, let parent = PathText.parent(of: path), parent != path else {
      throw FileError("make the folder", path, code: code)
    }
    try makeFolder(parent)
    guard unsafe mkdir(path, 0o777) == 0 || errno == EEXIST else {
      throw FileError("make the folder", path, code: errno)
    }
  }

  static func rename(_ old: String, to new: String) throws(FileError) {
    guard unsafe Glibc.rename(old, new) == 0 else { throw FileError("write", new, code: errno) }
  }

  /// Removes a file; that it is gone already is no error.
  static func remove(_ path: String) throws(FileError) {
    guard unsafe unlink(path) == 0 || errno == ENOENT else {
      throw FileError("remove", path, code: errno)
    }
  }

  /// Makes the names in a folder last a power cut.
  ///
  /// Some file systems can't, and need not.
  static func syncFolder(_ path: String) throws(FileError) {
    let descriptor = try FileDescriptor(opening: path, O_RDONLY | O_DIRECTORY)
    do throws(FileError) {
      try descriptor.sync()
    } catch {
      guard error.code == EINVAL else { throw error }
    }
  }

  /// Writes to standard error, whole; what can't be written is dropped.
  static func writeToStandardError(_ text: String) {
    let standardError = FileDescriptor(borrowing: STDERR_FILENO, path: "standard error")
    try? standardError.write(Array(text.utf8).span)
  }
}

/// An open file, closed with its last reference.
package final class FileDescriptor {
  /// Which file.
  package let path: String
  private let number: Int32
  private let isOwned: Bool

  /// Opens a file that is there.
  ///
  /// - Throws: ``FileError``.
  package init(opening path: String, _ flags: Int32 = 0) throws(FileError) {
    self.path = path
    isOwned = true
    number = unsafe open(path, flags | O_CLOEXEC)
    guard number >= 0 else { throw FileError("open", path, code: errno) }
  }

  /// Makes a file that is not there, with the permissions that the user's umask grants.
  init(creating path: String) throws(FileError) {
    self.path = path
    isOwned = true
    number = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard number >= 0 else { throw FileError("write", path, code: errno) }
  }

  /// A descriptor that somebody else closes.
  init(borrowing number: Int32, path: String) {
    self.path = path
    self.number = number
    isOwned = false
  }

  deinit {
    if isOwned && number >= 0 { close(number) }
  }

  /// Writes all of `bytes`, however often the system takes only a part.
  ///
  /// - Throws: ``FileError``.
  package func write(_ bytes: Span<UInt8>) throws(FileError) {
    var start = 0
    while start < bytes.count {
      let rest = bytes.extracting(start..<bytes.count)
      let count = unsafe rest.withUnsafeBufferPointer { buffer in
        unsafe Glibc.write(number, buffer.baseAddress, min(buffer.count, 1 << 30))
      }
      if count < 0 {
        if errno == EINTR { continue }
        throw FileError("write", path, code: errno)
      }
      start += count
    }
  }

  /// Waits until the bytes are on the disk.
  func sync() throws(FileError) {
    while fsync(number) != 0 {
      if errno != EINTR { throw FileError("write", path, code: errno) }
    }
  }

  func status() throws(FileError) -> SystemCalls.Status {
    var found = stat()
    guard unsafe fstat(number, &found) == 0 else { throw FileError("find", path, code: errno) }
    return SystemCalls.Status(found)
  }

  /// Takes the file's lock, which the system gives back when its holder ends in whatever way.
  ///
  /// - Returns: Whether it was granted: not, if somebody has it and `waiting` is false, or if the
  ///   file system has no locks.
  package func lock(waiting: Bool) -> Bool {
    while flock(number, waiting ? LOCK_EX : LOCK_EX | LOCK_NB) != 0 {
      if errno != EINTR { return false }
    }
    return true
  }
}

// MARK: The terminal

/// What an output is connected to.
package struct Terminal: Sendable {
  private let number: Int32

  /// What lies behind an open file, by its number.
  package init(descriptor number: Int32) {
    self.number = number
  }

  /// What lies behind standard error.
  package static let standardError = Terminal(descriptor: STDERR_FILENO)

  /// Whether it is a terminal.
  package var isTerminal: Bool { isatty(number) == 1 }

  /// How many characters a line of it has; nil if it doesn't say.
  package var columns: Int? {
    var size = winsize()
    guard unsafe ioctl(number, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
    return Int(size.ws_col)
  }
}
