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
            .integer(1), .number(-2.5), .number(1000), .boolean(true), .boolean(false), .null,
          ]),
          "b": .object(["c": .string("x\né😀")]),
        ]))
  }

  @Test(arguments: [
    "", " ", "{", "}", "[1,]", "{\"a\":1,}", "{\"a\":1 \"b\":2}", "{\"a\" 1}", "{a:1}", "[1 2]",
    "01", "-", "+1", "1.", ".5", "1e", "1e+", "NaN", "Infinity", "tru", "nul", "\"", "\"\\x\"",
    "\"\\u12\"", "\"\\u12g4\"", "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\udc00\"", "\"a\nb\"",
    "1 2", "{} {}", "[]]", "'a'", "1e999", "{\"a\":1,\"a\":2}", "{\"a\":1,\"\\u0061\":2}",
    "// x\n1",
  ])
  func whatIsNotJSONIsRefused(_ text: String) {
    #expect(throws: JSONError.self) { try parse(text) }
  }

  @Test func invalidUTF8IsRefused() {
    for bytes: [UInt8] in [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80]] {
      #expect(throws: JSONError.self) { try JSONParser.parse([0x22] + bytes + [0x22]) }
    }
  }

  @Test func deepNestingIsRefused() {
    let text = String(repeating: "[", count: 1_000_000)
    #expect(throws: JSONError(offset: 64, reason: "nesting deeper than 64")) { try parse(text) }
  }

  @Test func integersOutOfRangeBecomeNumbers() throws {
    #expect(try parse("9223372036854775807") == .integer(.max))
    #expect(try parse("-9223372036854775808") == .integer(.min))
    #expect(try parse("9223372036854775808") == .number(0x1p63))
  }

  @Test func quotedStringsAreReadBack() throws {
    let text = "a\"b\\c\u{1}\n\u{7f}é😀/"
    #expect(try parse(text.quotedAsJSON) == .string(text))
  }
}
