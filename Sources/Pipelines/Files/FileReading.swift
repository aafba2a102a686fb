import Foundation
package import Images
import Tensors

/// Reading whole files whose size isn't known to be harmless.
package enum FileReading {
  /// The bytes of a file.
  ///
  /// - Throws: `ImageError.tooManyBytes` beyond `limit`, and `ImageError.unreadable`.
  package static func bytes(
    of file: InputFile, limit: Int = ImageLimits().maximumByteCount
  ) throws(ImageError) -> [UInt8] {
    do {
      let source = try ByteSource(contentsOf: file.url)
      guard source.byteCount <= limit else {
        throw ImageError.tooManyBytes(count: source.byteCount, limit: limit)
      }
      return try source.bytes(in: 0..<source.byteCount)
    } catch let error as ByteSourceError {
      throw .unreadable(path: file.path, reason: error.reason)
    } catch let error as ImageError {
      throw error
    } catch {
      throw .unreadable(path: file.path, reason: String(describing: error))
    }
  }
}
