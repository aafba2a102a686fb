import CZlib

/// Why bytes can't be decompressed.
struct GzipError: Error, Hashable {
  let reason: String
}

/// Reader of gzip files (RFC 1952): the only file here that calls zlib.
enum Gzip {
  /// Whether a file begins as gzip files do.
  static func isCompressed(_ bytes: [UInt8]) -> Bool { bytes.starts(with: [0x1F, 0x8B]) }

  /// The contents of a file of one member.
  ///
  /// - Throws: ``GzipError`` for bytes that are damaged or cut off, and beyond `byteLimit`.
  static func decompressed(_ bytes: [UInt8], byteLimit: Int) throws(GzipError) -> [UInt8] {
    var stream = unsafe z_stream()
    let automaticHeader: Int32 = 16 + MAX_WBITS
    guard
      unsafe inflateInit2_(
        &stream, automaticHeader, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else { throw GzipError(reason: "no memory to decompress it") }
    defer { unsafe inflateEnd(&stream) }
    var input = bytes
    var output: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 20)
    var position = 0
    while true {
      var status = Z_OK
      var (taken, given) = (0, 0)
      unsafe input.withUnsafeMutableBufferPointer { input in
        unsafe chunk.withUnsafeMutableBufferPointer { chunk in
          let rest = min(input.count - position, 1 << 30)
          unsafe stream.next_in = input.baseAddress.map { unsafe $0 + position }
          unsafe stream.avail_in = UInt32(rest)
          unsafe stream.next_out = chunk.baseAddress
          unsafe stream.avail_out = UInt32(chunk.count)
          status = unsafe inflate(&stream, Z_NO_FLUSH)
          taken = unsafe rest - Int(stream.avail_in)
          given = unsafe chunk.count - Int(stream.avail_out)
        }
      }
      position += taken
      output.append(contentsOf: chunk[..<given])
      guard output.count <= byteLimit else {
        throw GzipError(reason: "it holds more than the limit of \(byteLimit) bytes")
      }
      if status == Z_STREAM_END { return output }
      guard status == Z_OK, taken > 0 || given > 0 else {
        let isCut = position == bytes.count && (status == Z_OK || status == Z_BUF_ERROR)
        throw GzipError(
          reason: isCut ? "the compressed data is cut off" : "the compressed data is damaged")
      }
    }
  }
}
