/// Bytes of a tar (ustar) with whatever members, also such as no program would pack.
public struct TarWriter {
  /// What a member is.
  public enum Kind: UInt8 {
    case file = 0x30
    case hardLink = 0x31
    case symbolicLink = 0x32
    case folder = 0x35
  }

  /// What was added so far.
  public private(set) var bytes: [UInt8] = []

  /// An empty tar.
  public init() {}

  /// Adds a member.
  ///
  /// - Parameters:
  ///   - name: its name, up to 100 bytes.
  ///   - content: its bytes.
  ///   - byteCount: the size that the header tells, if that isn't the content's.
  ///   - kind: what it is.
  ///   - target: what a link leads to.
  public mutating func add(
    _ name: String, _ content: [UInt8] = [], byteCount: Int? = nil, kind: Kind = .file,
    target: String = ""
  ) {
    var header = [UInt8](repeating: 0, count: 512)
    func put(_ text: String, _ place: Int) {
      for (index, byte) in text.utf8.enumerated() { header[place + index] = byte }
    }
    func octal(_ number: Int, digits: Int) -> String {
      let text = String(number, radix: 8)
      return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
    put(name, 0)
    put("0000644", 100)
    put("0000000", 108)
    put("0000000", 116)
    put(octal(byteCount ?? content.count, digits: 11), 124)
    put("00000000000", 136)
    put("        ", 148)
    header[156] = kind.rawValue
    put(target, 157)
    put("ustar", 257)
    put("00", 263)
    put(octal(header.reduce(0) { $0 + Int($1) }, digits: 6), 148)
    header[154] = 0
    bytes += header + content
    bytes += [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
  }

  /// The tar with its end marker.
  public var finished: [UInt8] { bytes + [UInt8](repeating: 0, count: 1024) }
}
