/// A value of a JSON document, as ``JSONParser`` reads it.
public enum JSONValue: Hashable, Sendable {
  /// `null`.
  case null
  /// `true` or `false`.
  case boolean(Bool)
  /// A number written without fraction and exponent that fits in `Int`.
  case integer(Int)
  /// Any other number; it is finite.
  case number(Double)
  /// A string.
  case string(String)
  /// A list.
  case array([JSONValue])
  /// An object; its names are unique.
  case object([String: JSONValue])

  /// What kind of value this is, as messages name it: `a string`.
  public var kind: String {
    switch self {
    case .null: "null"
    case .boolean: "a boolean"
    case .integer: "an integer"
    case .number: "a number"
    case .string: "a string"
    case .array: "a list"
    case .object: "an object"
    }
  }
}

/// What is wrong with a JSON document, and where.
public struct JSONError: Error, Hashable, CustomStringConvertible {
  /// The offset in bytes from the document's start.
  public let offset: Int
  /// What is wrong there.
  public let reason: String

  package init(offset: Int, reason: String) {
    self.offset = offset
    self.reason = reason
  }

  /// What is wrong, and where.
  public var description: String { "not valid JSON: \(reason), at byte \(offset)" }
}
