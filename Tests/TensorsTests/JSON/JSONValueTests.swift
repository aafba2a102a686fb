import Tensors
import TestSupport
import Testing

struct JSONValueTests {
  @Test func integersAreExact() {
    #expect(JSONValue.number("9223372036854775807").integer(as: Int.self) == .max)
    #expect(JSONValue.number("-9223372036854775808").integer(as: Int.self) == .min)
    #expect(JSONValue.number("9223372036854775808").integer(as: Int.self) == nil)
    #expect(JSONValue.number("18446744073709551615").integer(as: UInt64.self) == .max)
    #expect(JSONValue.number("256").integer(as: UInt8.self) == nil)
    #expect(JSONValue.number("-1").integer(as: UInt8.self) == nil)
    for text in ["1.0", "1e3"] { #expect(JSONValue.number(text).integer(as: Int.self) == nil) }
    #expect(JSONValue.string("1").integer(as: Int.self) == nil)
  }

  @Test func numbersOutOfRangeAreNone() {
    #expect(JSONValue.number("9223372036854775808").double == 0x1p63)
    #expect(JSONValue.number("1e999").double == nil)
    #expect(JSONValue.number("-1e999").float == nil)
    #expect(JSONValue.number("1e39").double == 1e39)
    #expect(JSONValue.number("1e39").float == nil)
    #expect(JSONValue.number("1e-999").double == 0)
    #expect(JSONValue.boolean(true).double == nil)
  }

  @Test func floatsAreReadBackAlsoAsDoubles() {
    for bits in stride(from: UInt32(0), to: .max, by: 40_009_999) {
      let value = Float(bitPattern: bits)
      guard value.isFinite else { continue }
      #expect(JSONValue(value).float == value)
      #expect(JSONValue(value).double.map { Float($0) } == value)
    }
    #expect(JSONValue(Float(3)).text == "3")
    #expect(JSONValue(Float(0.18215)).text == "0.18215")
  }

  @Test func doublesAreReadBack() {
    for value: Double in [0, 1, -0.5, 0.1, 1e300, .leastNonzeroMagnitude, 0x1p63, 1 / 3] {
      #expect(JSONValue(value).double == value)
    }
    #expect(JSONValue(1.0).text == "1")
  }

  @Test func valuesAreWrittenWithoutWhiteSpace() {
    let value = JSONValue.object([
      "b": JSONValue([1, 2]), "a": .array([.null, .boolean(true), .boolean(false)]),
      "c\n": .object([:]), "d": .number("1.50e-3"),
    ])
    #expect(
      value.text == "{\"b\":[1,2],\"a\":[null,true,false],\"c\\u000a\":{},\"d\":1.50e-3}")
  }

  @Test func kindsAreNamed() {
    #expect(JSONValue.number("1").kind == "an integer")
    #expect(JSONValue.number("1.5").kind == "a number")
    #expect(JSONValue.number("1e999").kind == "a number out of range")
  }

  @Test func quotedStringsAreReadBack() throws {
    let text = "a\"b\\c\u{1}\u{1f}\n\u{7f}é😀/"
    #expect(try JSONParser.parse(Array(text.quotedAsJSON.utf8)) == .string(text))
  }

  @Test func textInMessagesIsShortAndHarmless() {
    #expect("\u{1b}[2J".quotedBriefly == "\"\u{FFFD}[2J\"")
    #expect(String(repeating: "x", count: 40).quotedBriefly.count == 42)
    let long = String(repeating: "x", count: 41).quotedBriefly
    #expect(long == "\"\(String(repeating: "x", count: 40))…\"")
  }
}
