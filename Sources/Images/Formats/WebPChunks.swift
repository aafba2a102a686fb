/// The chunks of a WebP file that aren't pixels: RFC 9649, section 2.
struct WebPChunks {
  private(set) var orientation: ImageOrientation?
  private(set) var profile: [UInt8]?

  /// Walks over all chunks.
  ///
  /// - Throws: ``ImageError/truncated(_:)`` when the file is shorter than it says.
  init(_ bytes: [UInt8]) throws(ImageError) {
    guard let size = bytes.uint32(at: 4, .littleEndian), bytes.count - 8 >= size else {
      throw .truncated(.webP)
    }
    let end = size + 8
    var position = 12
    while position < end {
      guard let length = bytes.uint32(at: position + 4, .littleEndian),
        end - position - 8 >= length
      else { throw .damaged(.webP, reason: "a chunk is longer than the file") }
      let type = bytes[position..<position + 4]
      let contents = bytes[position + 8..<position + 8 + length]
      if type.elementsEqual("ICCP".utf8), profile == nil {
        profile = Array(contents)
      } else if type.elementsEqual("EXIF".utf8), orientation == nil {
        // Some writers put JPEG's introduction before the block.
        let block = contents.starts(with: "Exif\0\0".utf8) ? contents.dropFirst(6) : contents
        orientation = EXIF.orientation(in: block)
      }
      position = contents.endIndex + length % 2
    }
  }
}
