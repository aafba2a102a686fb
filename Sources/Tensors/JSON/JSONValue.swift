/// A value of a JSON document (RFC 8259).
public enum JSONValue: Hashable, Sendable {
  /// `null`.
  case null
  /// `true` or `false`.
  case boolean(Bool)
  /// A number as it is written, so that nothing is lost when it is written again.
  case number(String)
  /// Text.
  case string(String)
  /// Values in order.
  case array([JSONValue])
  /// Named values.
  case object(JSONObject)

  /// What kind of value this is, as messages name it: `a string`.
  public var kind: String {
    switch self {
    case .null: "null"
    case .boolean: "a boolean"
    case .number where integer(as: Int.self) != nil: "an integer"
    case .number where double == nil: "a number out of range"
    case .number: "a number"
    case .string: "a string"
    case .array: "a list"
    case .object: "an object"
    }
  }
}

/// Numbers.
extension JSONValue {
  /// An integer.
  public init(_ value: some FixedWidthInteger) {
    self = .number(String(value))
  }

  /// A finite number; the shortest text that gives this value again.
  public init(_ value: Double) {
    self = .number(Self.withoutEmptyFraction(value.description))
  }

  /// A finite number; the shortest text that gives this value again, also when it is read as a
  /// double.
  public init(_ value: Float) {
    let short = value.description
    let text = Double(short).map { Float($0) } == value ? short : Double(value).description
    self = .number(Self.withoutEmptyFraction(text))
  }

  /// Integers.
  public init(_ values: [some FixedWidthInteger]) {
    self = .array(values.map { JSONValue($0) })
  }

  /// Finite numbers.
  public init(_ values: [Float]) {
    self = .array(values.map { JSONValue($0) })
  }

  private static func withoutEmptyFraction(_ text: String) -> String {
    text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }

  /// The integer, if this is a number that is written without fraction and exponent and the type
  /// holds it.
  public func integer<Integer: FixedWidthInteger>(as type: Integer.Type) -> Integer? {
    guard case .number(let text) = self else { return nil }
    return Integer(text)
  }

  /// The nearest double, if this is a number in its range.
  public var double: Double? {
    guard case .number(let text) = self, let value = Double(text), value.isFinite else {
      return nil
    }
    return value
  }

  /// The float nearest to ``double``, if this is a number in its range: what readers get that know
  /// only doubles.
  public var float: Float? {
    double.map { Float($0) }.flatMap { $0.isFinite ? $0 : nil }
  }
}
