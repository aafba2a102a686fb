/// A strict reader of JSON (RFC 8259).
///
/// Unlike more forgiving readers it refuses names that occur twice in an object, numbers outside
/// the range of `Double`, unpaired surrogates, invalid UTF-8 and anything after the document.
package struct JSONParser {
  private let bytes: [UInt8]
  private let depthLimit: Int
  private var position = 0

  private init(bytes: [UInt8], depthLimit: Int) {
    self.bytes = bytes
    self.depthLimit = depthLimit
  }

  /// The value that the document `bytes` holds.
  ///
  /// - Throws: ``JSONError`` where the bytes aren't one JSON value, or nest deeper than
  ///   `depthLimit`.
  package static func parse(
    _ bytes: [UInt8], depthLimit: Int = 64
  ) throws(JSONError) -> JSONValue {
    var parser = JSONParser(bytes: bytes, depthLimit: depthLimit)
    parser.skipWhitespace()
    let value = try parser.value(depth: 0)
    parser.skipWhitespace()
    guard parser.position == bytes.count else {
      throw parser.error("something follows the document's value")
    }
    return value
  }

  private func error(_ reason: String) -> JSONError {
    JSONError(offset: position, reason: reason)
  }

  private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipWhitespace() {
    while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
      position += 1
    }
  }

  private mutating func skip(_ byte: UInt8) -> Bool {
    guard current == byte else { return false }
    position += 1
    return true
  }

  private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
    guard depth < depthLimit else { throw error("nesting deeper than \(depthLimit)") }
    switch current {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", meaning: .boolean(true))
    case UInt8(ascii: "f"): return try word("false", meaning: .boolean(false))
    case UInt8(ascii: "n"): return try word("null", meaning: .null)
    case nil: throw error("the document ends where a value should be")
    default: return try number()
    }
  }

  private mutating func word(
    _ word: StaticString, meaning value: JSONValue
  ) throws(JSONError) -> JSONValue {
    let text = Array("\(word)".utf8)
    guard position + text.count <= bytes.count,
      bytes[position..<position + text.count].elementsEqual(text)
    else { throw error("expected \(word)") }
    position += text.count
    return value
  }

  private mutating func array(depth: Int) throws(JSONError) -> JSONValue {
    position += 1
    var elements: [JSONValue] = []
    skipWhitespace()
    if skip(UInt8(ascii: "]")) { return .array(elements) }
    while true {
      skipWhitespace()
      elements.append(try value(depth: depth + 1))
      skipWhitespace()
      if skip(UInt8(ascii: "]")) { return .array(elements) }
      guard skip(UInt8(ascii: ",")) else { throw error("expected , or ] in a list") }
    }
  }

  private mutating func object(depth: Int) throws(JSONError) -> JSONValue {
    position += 1
    var members: [String: JSONValue] = [:]
    skipWhitespace()
    if skip(UInt8(ascii: "}")) { return .object(members) }
    while true {
      skipWhitespace()
      let start = position
      guard current == UInt8(ascii: "\"") else { throw error("expected a name in an object") }
      let name = try string()
      skipWhitespace()
      guard skip(UInt8(ascii: ":")) else { throw error("expected : after a name") }
      skipWhitespace()
      let value = try value(depth: depth + 1)
      guard members.updateValue(value, forKey: name) == nil else {
        throw JSONError(offset: start, reason: "the name \"\(name)\" occurs twice")
      }
      skipWhitespace()
      if skip(UInt8(ascii: "}")) { return .object(members) }
      guard skip(UInt8(ascii: ",")) else { throw error("expected , or } in an object") }
    }
  }

  private mutating func digits() -> Int {
    let start = position
    while let byte = current, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
      position += 1
    }
    return position - start
  }

  private mutating func number() throws(JSONError) -> JSONValue {
    let start = position
    _ = skip(UInt8(ascii: "-"))
    let startsWithZero = current == UInt8(ascii: "0")
    let wholeDigits = digits()
    guard wholeDigits > 0 else { throw error("no value is written like this") }
    guard !startsWithZero || wholeDigits == 1 else { throw error("a number with a leading zero") }
    var isInteger = true
    if skip(UInt8(ascii: ".")) {
      isInteger = false
      guard digits() > 0 else { throw error("a number without digits after its point") }
    }
    if skip(UInt8(ascii: "e")) || skip(UInt8(ascii: "E")) {
      isInteger = false
      _ = skip(UInt8(ascii: "+")) || skip(UInt8(ascii: "-"))
      guard digits() > 0 else { throw error("a number without digits in its exponent") }
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    if isInteger, let integer = Int(text) { return .integer(integer) }
    guard let number = Double(text), number.isFinite else {
      throw JSONError(offset: start, reason: "the number \(text) is out of range")
    }
    return .number(number)
  }
}

extension JSONParser {
  private mutating func string() throws(JSONError) -> String {
    position += 1
    let start = position
    while let byte = current, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 {
      position += 1
    }
    var text = Array(bytes[start..<position])
    while let byte = current, byte != UInt8(ascii: "\"") {
      guard byte >= 0x20 else { throw error("a control character in a string") }
      position += 1
      if byte == UInt8(ascii: "\\") {
        try escape(into: &text)
      } else {
        text.append(byte)
      }
    }
    guard skip(UInt8(ascii: "\"")) else { throw error("the document ends in a string") }
    guard let string = String(validating: text, as: UTF8.self) else {
      throw JSONError(offset: start, reason: "a string that isn't UTF-8")
    }
    return string
  }

  private mutating func escape(into text: inout [UInt8]) throws(JSONError) {
    guard let byte = current else { throw error("the document ends in a string") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0C)
    case UInt8(ascii: "n"): text.append(0x0A)
    case UInt8(ascii: "r"): text.append(0x0D)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"):
      text.append(contentsOf: Array(String(Character(try scalar())).utf8))
    default: throw error("an unknown escape in a string")
    }
  }

  /// The scalar of `\uXXXX`, or of a pair of these, from behind the first `\u`.
  private mutating func scalar() throws(JSONError) -> Unicode.Scalar {
    var code = try hexadecimal()
    if (0xD800...0xDBFF).contains(code) {
      guard skip(UInt8(ascii: "\\")), skip(UInt8(ascii: "u")) else {
        throw error("an unpaired surrogate in a string")
      }
      let low = try hexadecimal()
      guard (0xDC00...0xDFFF).contains(low) else {
        throw error("an unpaired surrogate in a string")
      }
      code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
    }
    guard let scalar = Unicode.Scalar(code) else {
      throw error("an unpaired surrogate in a string")
    }
    return scalar
  }

  private mutating func hexadecimal() throws(JSONError) -> UInt32 {
    var code: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = current, let digit = Character(Unicode.Scalar(byte)).hexDigitValue,
        byte < 0x80
      else { throw error("expected four hexadecimal digits") }
      code = code << 4 | UInt32(digit)
      position += 1
    }
    return code
  }
}
