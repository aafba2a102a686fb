import Foundation
import Tensors

extension ByteSource {
  /// Opens a file, or a part of one, with the error of this module.
  convenience init(
    latentFileAt url: URL, in range: Range<Int>? = nil
  ) throws(LatentFileError) {
    do {
      try self.init(contentsOf: url, in: range)
    } catch {
      throw LatentFileError(error)
    }
  }

  /// The bytes from `start` on, `count` of them unless the file ends before.
  func latentBytes(from start: Int, upTo count: Int) throws(LatentFileError) -> [UInt8] {
    do {
      let start = min(start, byteCount)
      return try bytes(in: start..<start + min(count, byteCount - start))
    } catch {
      throw LatentFileError(error)
    }
  }
}

extension LatentFileError {
  fileprivate init(_ error: ByteSourceError) {
    self = .unreadable(path: error.name, reason: error.reason)
  }
}
