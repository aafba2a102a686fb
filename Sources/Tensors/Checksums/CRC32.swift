/// The CRC-32 of zlib, PNG, zip and Ethernet, of bytes that arrive piece by piece: polynomial
/// 0x04C11DB7, reflected.
package struct CRC32 {
  private var state: UInt32 = ~0

  /// The checksum of nothing so far.
  package init() {}

  /// The checksum of all bytes so far.
  package var value: UInt32 { ~state }

  /// The checksum of some bytes; of `123456789` it is 0xCBF43926.
  package static func checksum(_ bytes: Span<UInt8>) -> UInt32 {
    var crc = CRC32()
    crc.update(bytes)
    return crc.value
  }

  /// Takes in more bytes, eight at a time.
  package mutating func update(_ bytes: Span<UInt8>) {
    var crc = state
    var index = 0
    let tables = Self.tables.span
    // Knowing the counts, the compiler leaves out the checks of indices.
    guard tables.count == 2048 else { return }
    let end = bytes.count & ~7
    while index < end {
      let low =
        crc
        ^ (UInt32(bytes[index]) | UInt32(bytes[index + 1]) << 8 | UInt32(bytes[index + 2]) << 16
          | UInt32(bytes[index + 3]) << 24)
      crc =
        tables[0x700 | Int(low & 0xFF)] ^ tables[0x600 | Int(low >> 8 & 0xFF)]
        ^ tables[0x500 | Int(low >> 16 & 0xFF)] ^ tables[0x400 | Int(low >> 24)]
        ^ tables[0x300 | Int(bytes[index + 4])] ^ tables[0x200 | Int(bytes[index + 5])]
        ^ tables[0x100 | Int(bytes[index + 6])] ^ tables[Int(bytes[index + 7])]
      index += 8
    }
    while index < bytes.count {
      crc = crc >> 8 ^ tables[Int(UInt8(truncatingIfNeeded: crc) ^ bytes[index])]
      index += 1
    }
    state = crc
  }

  /// Table k, at 256·k: what a byte contributes when k more bytes follow it.
  private static let tables: [UInt32] = {
    var tables = (0..<256).map { byte in
      (0..<8).reduce(UInt32(byte)) { crc, _ in crc >> 1 ^ (crc & 1 == 0 ? 0 : 0xEDB8_8320) }
    }
    for index in 256..<2048 {
      let last = tables[index - 256]
      tables.append(last >> 8 ^ tables[Int(last & 0xFF)])
    }
    return tables
  }()
}
