extension JSONValue {
  /// The value as JSON without white space.
  public var text: String {
    var text = ""
    write(to: &text)
    return text
  }

  private func write(to text: inout String) {
    switch self {
    case .null: text += "null"
    case .boolean(let value): text += value ? "true" : "false"
    case .number(let number): text += number
    case .string(let string): string.writeQuoted(to: &text)
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
        member.key.writeQuoted(to: &text)
        text += ":"
        member.value.write(to: &text)
      }
      text += "}"
    }
  }
}

extension String {
  /// The string as JSON writes it.
  package var quotedAsJSON: String { JSONValue.string(self).text }

  /// Text from a file as a message may show it: short, in quotes, and without control characters.
  package var quotedBriefly: String {
    let scalars = unicodeScalars.prefix(40)
    let short = scalars.map { scalar in
      scalar.properties.generalCategory == .control ? "\u{FFFD}" : Character(scalar)
    }
    return (String(short) + (scalars.endIndex < unicodeScalars.endIndex ? "…" : "")).quotedAsJSON
  }

  fileprivate func writeQuoted(to text: inout String) {
    text += "\""
    if utf8.contains(where: { $0 < 0x20 || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") }) {
      writeEscaped(to: &text)
    } else {
      text += self
    }
    text += "\""
  }

  private func writeEscaped(to text: inout String) {
    for scalar in unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\u{0}"..<" ":
        text += (scalar.value < 16 ? "\\u000" : "\\u00") + String(scalar.value, radix: 16)
      default: text.unicodeScalars.append(scalar)
      }
    }
  }
}
