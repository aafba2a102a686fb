public import Foundation
public import Tensors

extension SHA256 {
  /// The digest of a file's bytes as 64 lowercase hexadecimal digits, a megabyte at a time.
  ///
  /// - Throws: ``LatentFileError/unreadable(path:reason:)``.
  public static func hexadecimal(ofFileAt url: URL) throws(LatentFileError) -> String {
    var hash = SHA256()
    let file = try ByteSource(latentFileAt: url)
    var position = 0
    while position < file.byteCount {
      let piece = try file.latentBytes(from: position, upTo: 1 << 20)
      hash.update(piece)
      position += piece.count
    }
    return hash.hexadecimal
  }
}
