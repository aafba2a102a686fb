import Foundation

/// A file that is read from its beginning.
struct FileBytes {
  private let path: String
  private let handle: FileHandle

  /// Opens a file.
  init(_ url: URL) throws(LatentFileError) {
    path = url.path
    do {
      handle = try FileHandle(forReadingFrom: url)
    } catch {
      throw .unreadable(path: url.path, reason: error.localizedDescription)
    }
  }

  /// The next bytes, `count` of them unless the file ends before.
  func read(upTo count: Int) throws(LatentFileError) -> [UInt8] {
    do {
      return [UInt8](try handle.read(upToCount: count) ?? Data())
    } catch {
      throw .unreadable(path: path, reason: error.localizedDescription)
    }
  }
}
