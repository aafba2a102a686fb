/// A strict reader of JSON (RFC 8259): no key twice, no depth beyond 16, nothing after the value.
struct JSONParser {
  private static let maximumDepth = 16
  private let bytes: [UInt8]
  private var position = 0

  /// The value that is the whole of `bytes`.
  ///
  /// - Throws: ``LatentFileError/invalidJSON(offset:reason:)``.
  static func parse(_ bytes: [UInt8]) throws(LatentFileError) -> JSONValue {
    guard String(validating: bytes, as: UTF8.self) != nil else {
      throw .invalidJSON(offset: 0, reason: "it is not UTF-8")
    }
    var parser = JSONParser(bytes: bytes)
    let value = try parser.value(depth: 0)
    parser.skipWhitespace()
    guard parser.position == bytes.count else { throw parser.error("something follows the value") }
    return value
  }

  private init(bytes: [UInt8]) {
    self.bytes = bytes
  }

  private func error(_ reason: String) -> LatentFileError {
    .invalidJSON(offset: position, reason: reason)
  }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipWhitespace() {
    while let byte = next, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { position += 1 }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard next == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func value(depth: Int) throws(LatentFileError) -> JSONValue {
    guard depth < Self.maximumDepth else { throw error("nested too deep") }
    skipWhitespace()
    switch next {
    case UInt8(ascii: "{"): return .object(try object(depth: depth))
    case UInt8(ascii: "["): return .array(try array(depth: depth))
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    default: return .number(try number())
    }
  }

  private mutating func word(
    _ word: String, _ value: JSONValue
  ) throws(LatentFileError) -> JSONValue {
    guard bytes[position...].starts(with: word.utf8) else { throw error("an unknown word") }
    position += word.utf8.count
    return value
  }

  private mutating func object(depth: Int) throws(LatentFileError) -> JSONObject {
    var object = JSONObject()
    var keys: Set<String> = []
    position += 1
    skipWhitespace()
    if take("}") { return object }
    repeat {
      skipWhitespace()
      guard next == UInt8(ascii: "\"") else { throw error("a key is missing") }
      let key = try string()
      guard keys.insert(key).inserted else {
        throw error("the key \(JSONValue.quoted(key)) occurs twice")
      }
      skipWhitespace()
      guard take(":") else { throw error("a colon is missing") }
      object.append(key, try value(depth: depth + 1))
      skipWhitespace()
    } while take(",")
    guard take("}") else { throw error("a comma or } is missing") }
    return object
  }

  private mutating func array(depth: Int) throws(LatentFileError) -> [JSONValue] {
    var values: [JSONValue] = []
    position += 1
    skipWhitespace()
    if take("]") { return values }
    repeat {
      values.append(try value(depth: depth + 1))
      skipWhitespace()
    } while take(",")
    guard take("]") else { throw error("a comma or ] is missing") }
    return values
  }

  private mutating func string() throws(LatentFileError) -> String {
    var content: [UInt8] = []
    position += 1
    while let byte = next {
      position += 1
      switch byte {
      case UInt8(ascii: "\""): return String(decoding: content, as: UTF8.self)
      case UInt8(ascii: "\\"): content.append(contentsOf: String(try escaped()).utf8)
      case 0..<0x20: throw error("a control character in text")
      default: content.append(byte)
      }
    }
    throw error("text without an end")
  }

  private mutating func escaped() throws(LatentFileError) -> Unicode.Scalar {
    guard let byte = next else { throw error("text without an end") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{c}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"): break
    default: throw error("an unknown escape")
    }
    let first = try hexadecimalQuartet()
    if let scalar = Unicode.Scalar(first) { return scalar }
    guard first < 0xDC00, take("\\"), take("u") else { throw error("half of a surrogate pair") }
    let second = try hexadecimalQuartet()
    guard 0xDC00..<0xE000 ~= second,
      let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
    else { throw error("half of a surrogate pair") }
    return scalar
  }

  private mutating func hexadecimalQuartet() throws(LatentFileError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw error("four hexadecimal digits are missing")
      }
      value = value << 4 | UInt32(digit)
      position += 1
    }
    return value
  }

  private mutating func digits() throws(LatentFileError) {
    let start = position
    while let byte = next, 0x30...0x39 ~= byte { position += 1 }
    guard position > start else { throw error("a value is missing") }
  }

  private mutating func number() throws(LatentFileError) -> String {
    let start = position
    _ = take("-")
    if !take("0") { try digits() }
    if take(".") { try digits() }
    if take("e") || take("E") {
      _ = take("+") || take("-")
      try digits()
    }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }
}
