import Foundation
import Models
import Tensors
import TestSupport
import Testing

struct ConfigurationFieldsTests {
  private let fields = ConfigurationFields(
    [
      "integer": JSONValue(3), "number": JSONValue(0.5), "string": .string("x"), "null": .null,
      "flag": .boolean(true), "integers": JSONValue([1, 2]),
      "huge": .number("1e999"), "strings": .array([.string("a")]),
      "mixed": .array([JSONValue(1), .string("a")]),
    ], source: "config.json")

  @Test func fieldsHaveTheirTypesAndAbsentOnesTheirFallbacks() throws {
    #expect(try fields.integer("integer", or: 0) == 3)
    #expect(try fields.number("integer", or: 0) == 3)
    #expect(try fields.number("number", or: 0) == 0.5)
    #expect(try fields.string("string", or: "") == "x")
    #expect(try fields.boolean("flag", or: false))
    #expect(try fields.integers("integers", or: []) == [1, 2])
    #expect(try fields.strings("strings", or: []) == ["a"])
    #expect(try fields.integer("null", or: 7) == 7)
    #expect(try fields.integer("absent", or: 7) == 7)
    #expect(!fields.has("null") && fields.has("flag"))
  }

  @Test func fieldsOfOtherTypesAreRefused() {
    #expect(
      throws: CheckpointError.field(
        path: "config.json", name: "string", expected: "an integer", found: "a string")
    ) { try fields.integer("string", or: 0) }
    #expect(throws: CheckpointError.self) { try fields.integer("number", or: 0) }
    #expect(throws: CheckpointError.self) { try fields.boolean("integer", or: false) }
    #expect(throws: CheckpointError.self) { try fields.integers("mixed", or: []) }
    #expect(throws: CheckpointError.self) { try fields.strings("mixed", or: []) }
    #expect(throws: CheckpointError.self) { try fields.number("flag", or: 0) }
    #expect(
      throws: CheckpointError.field(
        path: "config.json", name: "huge", expected: "a number", found: "a number out of range")
    ) { try fields.number("huge", or: 0) }
  }

  @Test func filesThatAreNotObjectsAreRefused() throws {
    try withTemporaryFolder { folder in
      let url = folder.appending(path: "config.json")
      for text in ["", "[]", "{", "{\"a\":1,\"a\":1}"] {
        try Data(text.utf8).write(to: url)
        #expect(throws: CheckpointError.self) { try ConfigurationFields(contentsOf: url) }
      }
      #expect(throws: CheckpointError.self) {
        try ConfigurationFields(contentsOf: folder.appending(path: "absent.json"))
      }
    }
  }
}
