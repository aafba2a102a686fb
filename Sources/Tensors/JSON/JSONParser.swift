/// A strict reader of JSON (RFC 8259).
///
/// Unlike more forgiving readers it refuses keys that occur twice in an object, unpaired
/// surrogates, invalid UTF-8 and anything after the document.
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
  /// - Throws: ``JSONError`` where the bytes aren't one JSON value, are more than `byteLimit`, or
  ///   nest deeper than `depthLimit`.
  package static func parse(
    _ bytes: [UInt8], depthLimit: Int = 64, byteLimit: Int = 64 << 20
  ) throws(JSONError) -> JSONValue {
    guard bytes.count <= byteLimit else {
      throw JSONError(offset: byteLimit, reason: "longer than the limit of \(byteLimit) bytes")
    }
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
    _ word: String, meaning value: JSONValue
  ) throws(JSONError) -> JSONValue {
    guard bytes[position...].starts(with: word.utf8) else { throw error("expected \(word)") }
    position += word.utf8.count
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
    var object = JSONObject()
    skipWhitespace()
    if skip(UInt8(ascii: "}")) { return .object(object) }
    while true {
      skipWhitespace()
      let start = position
      guard current == UInt8(ascii: "\"") else { throw error("expected a key in an object") }
      let key = try string()
      skipWhitespace()
      guard skip(UInt8(ascii: ":")) else { throw error("expected : after a key") }
      skipWhitespace()
      guard object.append(key, try value(depth: depth + 1)) else {
        throw JSONError(offset: start, reason: "the key \(key.quotedBriefly) occurs twice")
      }
      skipWhitespace()
      if skip(UInt8(ascii: "}")) { return .object(object) }
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
    if skip(UInt8(ascii: ".")) {
      guard digits() > 0 else { throw error("a number without digits after its point") }
    }
    if skip(UInt8(ascii: "e")) || skip(UInt8(ascii: "E")) {
      _ = skip(UInt8(ascii: "+")) || skip(UInt8(ascii: "-"))
      guard digits() > 0 else { throw error("a number without digits in its exponent") }
    }
    return .number(String(decoding: bytes[start..<position], as: UTF8.self))
  }
}

extension JSONParser {
  private mutating func string() throws(JSONError) -> String {
    position += 1
    let start = position
    skipPlainText()
    if current == UInt8(ascii: "\"") {
      // Most strings have no escapes, and are taken as they stand.
      let string = try text(bytes[start..<position], from: start)
      position += 1
      return string
    }
    var unescaped = Array(bytes[start..<position])
    while let byte = current, byte != UInt8(ascii: "\"") {
      guard skip(UInt8(ascii: "\\")) else { throw error("a control character in a string") }
      try escape(into: &unescaped)
      let next = position
      skipPlainText()
      unescaped.append(contentsOf: bytes[next..<position])
    }
    guard current != nil else { throw error("the document ends in a string") }
    let string = try text(unescaped[...], from: start)
    position += 1
    return string
  }

  private mutating func skipPlainText() {
    while let byte = current, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 {
      position += 1
    }
  }

  /// The text of a string that is written from `start` to here.
  private func text(
    _ unescaped: ArraySlice<UInt8>, from start: Int
  ) throws(JSONError) -> String {
    if let string = String(validating: unescaped, as: UTF8.self) { return string }
    // Escapes are ASCII, so what is wrong is wrong in the document too.
    var parser = Unicode.UTF8.ForwardParser()
    var iterator = bytes[start..<position].makeIterator()
    var offset = start
    while case .valid(let scalar) = parser.parseScalar(from: &iterator) { offset += scalar.count }
    throw JSONError(offset: offset, reason: "a string that isn't UTF-8")
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
      text.append(contentsOf: String(try scalar()).utf8)
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
      guard let byte = current, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw error("expected four hexadecimal digits")
      }
      code = code << 4 | UInt32(digit)
      position += 1
    }
    return code
  }
}
