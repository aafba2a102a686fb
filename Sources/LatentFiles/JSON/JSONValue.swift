/// A value of a header, as JSON (RFC 8259) has it.
public indirect enum JSONValue: Sendable, Equatable {
  /// `null`.
  case null
  /// `true` or `false`.
  case bool(Bool)
  /// A number as it is written, so that nothing is lost when it is written again.
  case number(String)
  /// Text.
  case string(String)
  /// Values in order.
  case array([JSONValue])
  /// Named values.
  case object(JSONObject)

  /// A number; the shortest text that gives this float again, also when it is read as a double.
  init(_ value: Float) {
    let short = value.description
    let text = Double(short).map { Float($0) } == value ? short : Double(value).description
    self = .number(text.hasSuffix(".0") ? String(text.dropLast(2)) : text)
  }

  /// A number.
  init(_ value: some FixedWidthInteger) {
    self = .number(String(value))
  }

  /// Numbers.
  init(_ values: [Float]) {
    self = .array(values.map { JSONValue($0) })
  }

  /// The value as compact JSON.
  public var text: String {
    var text = ""
    write(to: &text)
    return text
  }

  /// Text from a file as a message may show it: short, in quotes, and without control characters.
  static func quoted(_ string: String) -> String {
    let isLong = string.unicodeScalars.count > 40
    let short = string.unicodeScalars.prefix(40).map { scalar in
      scalar.properties.generalCategory == .control ? "\u{FFFD}" : Character(scalar)
    }
    return JSONValue.string(String(short) + (isLong ? "…" : "")).text
  }

  private func write(to text: inout String) {
    switch self {
    case .null: text += "null"
    case .bool(let value): text += value ? "true" : "false"
    case .number(let number): text += number
    case .string(let string): Self.write(string, to: &text)
    case .array(let values):
      text += "["
      for (index, value) in values.enumerated() {
        if index > 0 { text += "," }
        value.write(to: &text)
      }
      text += "]"
    case .object(let object):
      text += "{"
      for (index, member) in object.members.enumerated() {
        if index > 0 { text += "," }
        Self.write(member.key, to: &text)
        text += ":"
        member.value.write(to: &text)
      }
      text += "}"
    }
  }

  private static func write(_ string: String, to text: inout String) {
    text += "\""
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\u{0}"..<" ":
        text += (scalar.value < 16 ? "\\u000" : "\\u00") + String(scalar.value, radix: 16)
      default: text.unicodeScalars.append(scalar)
      }
    }
    text += "\""
  }
}

/// The members of a JSON object in the order they are written; no key occurs twice.
public struct JSONObject: Sendable, Equatable, ExpressibleByDictionaryLiteral {
  /// A named value.
  public struct Member: Sendable, Equatable {
    /// The name.
    public let key: String
    /// The value.
    public var value: JSONValue
  }

  /// The members in order.
  public private(set) var members: [Member] = []

  /// An object with these members.
  ///
  /// - Precondition: no key occurs twice.
  public init(dictionaryLiteral elements: (String, JSONValue)...) {
    for (key, value) in elements {
      precondition(self[key] == nil, "the key \(key) twice")
      self[key] = value
    }
  }

  /// The value of a key; a new key goes to the end, and `nil` takes a member away.
  public subscript(key: String) -> JSONValue? {
    get { members.first { $0.key == key }?.value }
    set {
      let index = members.firstIndex { $0.key == key }
      switch (index, newValue) {
      case (let index?, let value?): members[index].value = value
      case (let index?, nil): members.remove(at: index)
      case (nil, let value?): members.append(Member(key: key, value: value))
      case (nil, nil): break
      }
    }
  }

  /// Adds a member whose key the caller knows to be new.
  mutating func append(_ key: String, _ value: JSONValue) {
    members.append(Member(key: key, value: value))
  }
}
