/// The bytes of a tar: POSIX ustar, with pax headers for names that don't fit it.
package enum TarEncoder {
  private static let blockByteCount = 512
  /// The longest name of ustar without its prefix.
  private static let nameByteCount = 100

  /// A file's header, without what follows it.
  ///
  /// Owners are left out, and the permissions are 0644: neither is a matter of a data set.
  ///
  /// - Parameters:
  ///   - name: Its path, of any length, in any letters.
  ///   - byteCount: Its size, less than 8 GiB.
  ///   - modificationTime: In seconds since 1970.
  /// - Returns: A whole number of blocks.
  package static func header(name: String, byteCount: Int, modificationTime: Int) -> [UInt8] {
    let time = min(max(0, modificationTime), 0o77777777777)
    let bytes = Array(name.utf8)
    guard bytes.count > nameByteCount || bytes.contains(where: { $0 >= 0x80 }) else {
      return block(name: bytes, byteCount: byteCount, time: time, kind: UInt8(ascii: "0"))
    }
    let record = paxRecord("path", name)
    let short = Array(bytes.map { $0 < 0x80 ? $0 : UInt8(ascii: "_") }.suffix(nameByteCount))
    return block(
      name: Array("PaxHeader/lvae".utf8), byteCount: record.count, time: time,
      kind: UInt8(ascii: "x")) + record + padding(after: record.count)
      + block(name: short, byteCount: byteCount, time: time, kind: UInt8(ascii: "0"))
  }

  /// The zeros between a member's bytes and the next header.
  package static func padding(after byteCount: Int) -> [UInt8] {
    [UInt8](repeating: 0, count: (blockByteCount - byteCount % blockByteCount) % blockByteCount)
  }

  /// What ends a tar.
  package static let end = [UInt8](repeating: 0, count: 2 * blockByteCount)

  /// `length key=value`, where the length counts itself.
  private static func paxRecord(_ key: String, _ value: String) -> [UInt8] {
    let rest = Array(" \(key)=\(value)\n".utf8)
    var length = rest.count
    while String(length).utf8.count + rest.count != length {
      length = String(length).utf8.count + rest.count
    }
    return Array(String(length).utf8) + rest
  }

  private static func block(
    name: [UInt8], byteCount: Int, time: Int, kind: UInt8
  ) -> [UInt8] {
    var block = [UInt8](repeating: 0, count: blockByteCount)
    func put(_ bytes: [UInt8], at place: Int) {
      block.replaceSubrange(place..<place + bytes.count, with: bytes)
    }
    func octal(_ number: Int, digits: Int) -> [UInt8] {
      let text = String(number, radix: 8)
      return Array((String(repeating: "0", count: max(0, digits - text.count)) + text).utf8)
    }
    put(name, at: 0)
    put(octal(0o644, digits: 7), at: 100)
    put(octal(0, digits: 7), at: 108)
    put(octal(0, digits: 7), at: 116)
    put(octal(byteCount, digits: 11), at: 124)
    put(octal(time, digits: 11), at: 136)
    put(Array("        ".utf8), at: 148)
    block[156] = kind
    put(Array("ustar\u{0}00".utf8), at: 257)
    // The sum of all bytes, where its own place counts as spaces.
    put(octal(block.reduce(0) { $0 + Int($1) }, digits: 6) + [0], at: 148)
    return block
  }
}
