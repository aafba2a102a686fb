package import Images
import Tensors

/// Reading whole files whose size isn't known to be harmless.
package enum FileReading {
  /// The bytes of a file, or of a member of a tar.
  ///
  /// - Throws: `ImageError.tooManyBytes` beyond `limit`, and `ImageError.unreadable`, which names
  ///   the file as the user wrote it.
  package static func bytes(
    of file: InputFile, limit: Int = ImageLimits().maximumByteCount
  ) throws(ImageError) -> [UInt8] {
    if let member = file.member { return try bytes(of: member, in: file, limit: limit) }
    do {
      return try Image.fileBytes(contentsOf: file.url, limit: limit)
    } catch {
      guard case .unreadable(_, let reason) = error else { throw error }
      throw .unreadable(path: file.path, reason: reason)
    }
  }

  private static func bytes(
    of member: TarPlace, in file: InputFile, limit: Int
  ) throws(ImageError) -> [UInt8] {
    guard member.range.count <= limit else {
      throw .tooManyBytes(count: member.range.count, limit: limit)
    }
    do throws(ByteSourceError) {
      let source = try ByteSource(contentsOf: file.url, in: member.range)
      return try source.bytes(in: 0..<source.byteCount)
    } catch {
      throw .unreadable(path: file.label, reason: error.reason)
    }
  }
}
