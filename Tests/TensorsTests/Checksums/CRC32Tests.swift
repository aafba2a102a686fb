import Tensors
import Testing

struct CRC32Tests {
  /// The checksum a bit at a time, as its definition has it.
  private func slowChecksum(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(UInt32.max) { crc, byte in
      (0..<8).reduce(crc ^ UInt32(byte)) { crc, _ in
        crc >> 1 ^ (crc & 1 == 1 ? 0xEDB8_8320 : 0)
      }
    }
  }

  @Test func theCheckValueIsGiven() {
    #expect(CRC32.checksum(Array("123456789".utf8).span) == 0xCBF4_3926)
    #expect(CRC32.checksum([UInt8]().span) == 0)
  }

  @Test func piecesGiveTheChecksumOfTheWhole() {
    var crc = CRC32()
    for part in ["1", "2345678", "9", ""] { crc.update(Array(part.utf8).span) }
    #expect(crc.value == 0xCBF4_3926)
  }

  @Test func everyLengthGivesTheChecksumOfTheDefinition() {
    let bytes = (0..<80).map { UInt8(truncatingIfNeeded: $0 &* 77 &+ $0 >> 3) }
    for count in bytes.indices {
      let part = Array(bytes[count...])
      #expect(CRC32.checksum(part.span) == slowChecksum(part), "\(part.count) bytes")
    }
  }
}
