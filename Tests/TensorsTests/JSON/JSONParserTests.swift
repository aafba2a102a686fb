import Tensors
import Testing

struct JSONParserTests {
  private func parse(_ text: String) throws(JSONError) -> JSONValue {
    try JSONParser.parse(Array(text.utf8))
  }

  @Test func allKindsOfValuesAreRead() throws {
    let value = try parse(
      " {\"a\": [1, -2.5, 1e3, true, false, null], \"b\" : {\"c\":\"x\\n\\u00e9\\ud83d\\ude00\"}} \n"
    )
    #expect(
      value
        == .object([
          "a": .array([
            .number("1"), .number("-2.5"), .number("1e3"), .boolean(true), .boolean(false), .null,
          ]),
          "b": .object(["c": .string("x\né😀")]),
        ]))
  }

  @Test(arguments: [
    "", " ", "{", "}", "[1,]", "{\"a\":1,}", "{\"a\":1 \"b\":2}", "{\"a\" 1}", "{a:1}", "[1 2]",
    "01", "-", "+1", "1.", ".5", "1e", "1e+", "NaN", "Infinity", "tru", "nul", "\"", "\"\\x\"",
    "\"\\u12\"", "\"\\u12g4\"", "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\udc00\"", "\"a\nb\"",
    "1 2", "{} {}", "[]]", "'a'", "--1", "0x1", "\u{FEFF}{}", "\"\t\"", "{\"a\":1,\"a\":2}",
    "{\"a\":1,\"\\u0061\":2}",
    "// x\n1",
  ])
  func whatIsNotJSONIsRefused(_ text: String) {
    #expect(throws: JSONError.self) { try parse(text) }
  }

  @Test(arguments: [[], Array("abc".utf8), Array("é\\n\\u00e9".utf8)] as [[UInt8]])
  func invalidUTF8IsRefusedWhereItStands(before: [UInt8]) {
    for bytes: [UInt8] in [
      [0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82],
    ] {
      #expect(
        throws: JSONError(offset: before.count + 1, reason: "a string that isn't UTF-8")
      ) { try JSONParser.parse([0x22] + before + bytes + [0x22]) }
    }
    #expect(throws: JSONError.self) { try JSONParser.parse([0xFF]) }
  }

  @Test func deepNestingIsRefused() {
    let text = String(repeating: "[", count: 1_000_000)
    #expect(throws: JSONError(offset: 64, reason: "nesting deeper than 64")) { try parse(text) }
  }

  @Test func theLimitsAreExact() throws {
    let nested = String(repeating: "[", count: 3) + String(repeating: "]", count: 3)
    let bytes = Array(nested.utf8)
    #expect(throws: Never.self) { try JSONParser.parse(bytes, depthLimit: 3, byteLimit: 6) }
    #expect(throws: JSONError.self) { try JSONParser.parse(bytes, depthLimit: 2) }
    #expect(throws: JSONError(offset: 5, reason: "longer than the limit of 5 bytes")) {
      try JSONParser.parse(bytes, byteLimit: 5)
    }
  }

  @Test func numbersAreKeptAsTheyAreWritten() throws {
    for text in ["-0", "1.50e-3", "9223372036854775808", "1E+2", "1e999", "0.0"] {
      #expect(try parse(text) == .number(text))
    }
  }

  @Test func aKeyThatOccursTwiceIsNamedHarmlessly() {
    #expect(throws: JSONError(offset: 8, reason: "the key \"a\u{FFFD}\" occurs twice")) {
      try parse("{\"a\u{7f}\":1,\"a\\u007f\":2}")
    }
  }

  @Test func everyPrefixIsRefused() throws {
    let text = Array(
      "{\"a\": [1, -2.5e3, true, null], \"b\": {\"c\": \"x\\n\\ud83d\\ude00é\"}}".utf8)
    _ = try JSONParser.parse(text)
    for count in text.indices {
      #expect(throws: JSONError.self) { try JSONParser.parse(Array(text[..<count])) }
    }
  }

  /// The header of a large model's weights, about.
  @Test func aLargeHeaderIsReadQuickly() throws {
    let members = (0..<456).map { index in
      "\"decoder.up_blocks.\(index).resnets.0.conv1.weight\":{\"dtype\":\"F32\","
        + "\"shape\":[512,512,3,3],\"data_offsets\":[\(index * 9_437_184),\((index + 1) * 9_437_184)]}"
    }
    let bytes = Array("{\(members.joined(separator: ","))}".utf8)
    let clock = ContinuousClock()
    let times = try (0..<5).map { _ in
      try clock.measure { _ = try JSONParser.parse(bytes, depthLimit: 4) }
    }
    // A quiet machine takes 0.6 ms.
    #expect(try #require(times.min()) < .milliseconds(50))
  }
}
