package import Images

/// Reading whole files whose size isn't known to be harmless.
package enum FileReading {
  /// The bytes of a file.
  ///
  /// - Throws: `ImageError.tooManyBytes` beyond `limit`, and `ImageError.unreadable`, which names
  ///   the file as the user wrote it.
  package static func bytes(
    of file: InputFile, limit: Int = ImageLimits().maximumByteCount
  ) throws(ImageError) -> [UInt8] {
    do {
      return try Image.fileBytes(contentsOf: file.url, limit: limit)
    } catch {
      guard case .unreadable(_, let reason) = error else { throw error }
      throw .unreadable(path: file.path, reason: reason)
    }
  }
}
