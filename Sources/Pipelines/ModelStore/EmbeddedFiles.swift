import CModels

/// The files that are part of the program.
enum EmbeddedFiles {
  /// Their paths: `photo/config.json`, `samples/cat.png`.
  static let paths: [String] = all.map(\.path)

  /// A file's bytes; nil if there is none of this path.
  static func bytes(of path: String) -> [UInt8]? {
    all.first { $0.path == path }.map { file in
      unsafe [UInt8](UnsafeBufferPointer(start: file.bytes, count: file.byteCount))
    }
  }

  /// Memory that lasts as long as the program, and that nobody writes.
  @safe private struct File: @unchecked Sendable {
    let path: String
    let bytes: UnsafePointer<UInt8>?
    let byteCount: Int
  }

  private static let all: [File] = {
    var count = 0
    let files = unsafe UnsafeBufferPointer(start: lvae_embedded_files(&count), count: count)
    return unsafe files.map { file in
      unsafe File(path: String(cString: file.path), bytes: file.bytes, byteCount: file.byte_count)
    }
  }()
}
