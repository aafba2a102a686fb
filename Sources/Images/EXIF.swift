/// The part of an EXIF block that says how the picture lies.
enum EXIF {
  /// The orientation in a block that starts with its TIFF header; nil when the block is faulty,
  /// has no such tag, or the tag's value is none of the eight.
  ///
  /// After "TIFF Revision 6.0", sections 2 and 8: a byte-order mark, the number 42, the offset of
  /// the first directory; there, entries of 12 bytes: tag, type, count, value.
  static func orientation(in block: ArraySlice<UInt8>) -> ImageOrientation? {
    let order: ByteOrder
    if block.starts(with: "II".utf8) {
      order = .littleEndian
    } else if block.starts(with: "MM".utf8) {
      order = .bigEndian
    } else {
      return nil
    }
    let start = block.startIndex
    guard block.uint16(at: start + 2, order) == 42,
      let directory = block.uint32(at: start + 4, order),
      let entryCount = block.uint16(at: start + directory, order)
    else { return nil }
    for index in 0..<entryCount {
      let entry = start + directory + 2 + 12 * index
      guard let tag = block.uint16(at: entry, order) else { return nil }
      guard tag == 0x0112 else { continue }
      let isLong = block.uint16(at: entry + 2, order) == 4
      let value = isLong ? block.uint32(at: entry + 8, order) : block.uint16(at: entry + 8, order)
      return value.flatMap(ImageOrientation.init(rawValue:))
    }
    return nil
  }
}
