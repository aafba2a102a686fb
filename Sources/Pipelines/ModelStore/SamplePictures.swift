public import Images

/// A picture that is part of the program, to try it with.
public struct SamplePicture: Sendable {
  /// Its name: `cat`.
  public let name: String
  /// The picture's file, a PNG.
  public let bytes: [UInt8]

  /// All of them: four photographs, and two small drawings with opacity.
  public static var all: [SamplePicture] {
    let folder = "samples/"
    return EmbeddedFiles.paths.filter { $0.hasPrefix(folder) }.compactMap { path in
      EmbeddedFiles.bytes(of: path).map { bytes in
        SamplePicture(
          name: String(path.dropFirst(folder.count).prefix { $0 != "." }), bytes: bytes)
      }
    }
  }

  /// The picture.
  ///
  /// - Throws: `ImageError`.
  public func image() throws -> Image { try Image(decoding: bytes) }
}
