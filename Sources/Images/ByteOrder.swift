/// The order of a number's bytes in a file.
enum ByteOrder {
  /// The least significant byte first.
  case littleEndian
  /// The most significant byte first.
  case bigEndian
}

extension RandomAccessCollection<UInt8> where Index == Int {
  /// The number in the two bytes at `index`; nil when they aren't all there.
  func uint16(at index: Int, _ order: ByteOrder) -> Int? {
    guard index >= startIndex, index <= endIndex - 2 else { return nil }
    let (first, second) = (Int(self[index]), Int(self[index + 1]))
    return order == .bigEndian ? first << 8 | second : second << 8 | first
  }

  /// The number in the four bytes at `index`; nil when they aren't all there.
  func uint32(at index: Int, _ order: ByteOrder) -> Int? {
    guard let first = uint16(at: index, order), let second = uint16(at: index + 2, order)
    else { return nil }
    return order == .bigEndian ? first << 16 | second : second << 16 | first
  }
}
