import Tensors

/// A part of the settings: its fields are listed once, for reading and for writing.
protocol SettingsGroup {
  /// Shows each field to `fields`, which reads it, or writes it, or both.
  mutating func visit(_ fields: inout SettingsFields) throws(TrainingSettingsError)
}

/// Reads the fields of a JSON object strictly, and writes them all as they then are.
///
/// A field that isn't there keeps its value. `null`, other types, values out of range and fields
/// that nobody asked for are refused.
struct SettingsFields {
  /// Where the settings came from.
  let source: String
  /// The object's place: `optimizer`; empty for the whole.
  let path: String
  private let values: JSONObject
  /// Whether fields are only written: then nothing is checked.
  let isWriting: Bool
  /// All fields so far, as they are now.
  private(set) var written = JSONObject()

  init(_ values: JSONObject, source: String, path: String = "", isWriting: Bool = false) {
    self.values = values
    self.isWriting = isWriting
    self.source = source
    self.path = path
  }

  /// Reads the fields of `group` from `values`, and gives all of them back.
  static func read(
    _ group: inout some SettingsGroup, from values: JSONObject, source: String, path: String = ""
  ) throws(TrainingSettingsError) -> JSONObject {
    var fields = SettingsFields(values, source: source, path: path)
    try group.visit(&fields)
    try fields.refuseUnknownKeys()
    return fields.written
  }

  /// All fields of `group`, whether or not they could be read.
  static func written(_ group: some SettingsGroup) -> JSONObject {
    var group = group
    var fields = SettingsFields(JSONObject(), source: "settings", isWriting: true)
    // Nothing is read or checked, so that nothing throws.
    try? group.visit(&fields)
    return fields.written
  }

  private func refuseUnknownKeys() throws(TrainingSettingsError) {
    let known = written.members.map(\.key)
    for member in values.members where written[member.key] == nil {
      throw unknownKey(member.key, known: known)
    }
  }

  /// The error for a key that isn't known among others.
  func unknownKey(_ key: String, known: [String]) -> TrainingSettingsError {
    error(
      .unknownKey(path: place(key), nearest: key.nearest(among: known).map(place), known: known))
  }

  /// A key's path.
  func place(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

  /// An error of these settings.
  func error(_ problem: TrainingSettingsError.Problem) -> TrainingSettingsError {
    TrainingSettingsError(source: source, problem: problem)
  }

  /// Refuses values that don't go together.
  func refuse(
    _ key: String, if isWrong: Bool, _ reason: String
  ) throws(TrainingSettingsError) {
    if isWrong && !isWriting { throw error(.conflict(path: place(key), reason: reason)) }
  }

  /// A field that `decode` understands and `encode` writes.
  mutating func field<Value>(
    _ key: String, _ value: inout Value, expected: String, decode: (JSONValue) -> Value?,
    encode: (Value) -> JSONValue
  ) throws(TrainingSettingsError) {
    if let found = values[key] {
      guard let decoded = decode(found) else {
        throw error(.value(path: place(key), expected: expected, found: found.shown))
      }
      value = decoded
    }
    written[key] = encode(value)
  }
}

// MARK: Kinds of fields

extension SettingsFields {
  mutating func group(
    _ key: String, _ group: inout some SettingsGroup
  ) throws(TrainingSettingsError) {
    if isWriting {
      written[key] = .object(Self.written(group))
      return
    }
    var inner = JSONObject()
    if let found = values[key] {
      guard case .object(let object) = found else {
        throw error(.value(path: place(key), expected: "an object", found: found.shown))
      }
      inner = object
    }
    written[key] = .object(
      try Self.read(&group, from: inner, source: source, path: place(key)))
  }

  mutating func integer<Value: FixedWidthInteger>(
    _ key: String, _ value: inout Value, in range: ClosedRange<Value>
  ) throws(TrainingSettingsError) {
    try field(
      key, &value,
      expected: range.upperBound == .max
        ? "a whole number from \(range.lowerBound)"
        : "a whole number in \(range.lowerBound)…\(range.upperBound)",
      decode: { $0.integer(as: Value.self).flatMap { range.contains($0) ? $0 : nil } },
      encode: { JSONValue($0) })
  }

  mutating func number(
    _ key: String, _ value: inout Double, _ rule: NumberRule
  ) throws(TrainingSettingsError) {
    try field(
      key, &value, expected: "a number \(rule.text)",
      decode: { $0.double.flatMap { rule.allows($0) ? $0 : nil } }, encode: { JSONValue($0) })
  }

  /// Two numbers.
  mutating func pair(
    _ key: String, _ first: inout Double, _ second: inout Double, _ rule: NumberRule,
    isRising: Bool = false
  ) throws(TrainingSettingsError) {
    var both = [first, second]
    try field(
      key, &both,
      expected: "a list of two numbers \(rule.text)"
        + (isRising ? ", the second not below the first" : ""),
      decode: { value -> [Double]? in
        guard case .array(let elements) = value, elements.count == 2 else { return nil }
        let numbers = elements.compactMap(\.double).filter(rule.allows)
        return numbers.count == 2 && (!isRising || numbers[0] <= numbers[1]) ? numbers : nil
      },
      encode: { .array($0.map { JSONValue($0) }) })
    (first, second) = (both[0], both[1])
  }

  mutating func boolean(_ key: String, _ value: inout Bool) throws(TrainingSettingsError) {
    try field(
      key, &value, expected: "true or false",
      decode: { if case .boolean(let value) = $0 { value } else { nil } },
      encode: { .boolean($0) })
  }

  mutating func string(_ key: String, _ value: inout String) throws(TrainingSettingsError) {
    try field(key, &value, expected: "a string", decode: \.string, encode: { .string($0) })
  }

  mutating func strings(_ key: String, _ value: inout [String]) throws(TrainingSettingsError) {
    try field(
      key, &value, expected: "a list of strings",
      decode: { value -> [String]? in
        guard case .array(let elements) = value else { return nil }
        let strings = elements.compactMap(\.string)
        return strings.count == elements.count ? strings : nil
      },
      encode: { .array($0.map { .string($0) }) })
  }

  mutating func integers(
    _ key: String, _ value: inout [Int], in range: ClosedRange<Int>, count: ClosedRange<Int>
  ) throws(TrainingSettingsError) {
    try field(
      key, &value,
      expected: "a list of \(count.lowerBound) to \(count.upperBound) whole numbers in "
        + "\(range.lowerBound)…\(range.upperBound)",
      decode: { value -> [Int]? in
        guard case .array(let elements) = value, count.contains(elements.count) else { return nil }
        let integers = elements.compactMap { $0.integer(as: Int.self) }.filter(range.contains)
        return integers.count == elements.count ? integers : nil
      },
      encode: { .array($0.map { JSONValue($0) }) })
  }

  /// One of the cases of an enum, by its raw value.
  mutating func choice<Value: RawRepresentable<String> & CaseIterable>(
    _ key: String, _ value: inout Value
  ) throws(TrainingSettingsError) {
    let names = Value.allCases.map { $0.rawValue.quotedAsJSON }
    try field(
      key, &value, expected: "one of \(names.joined(separator: ", "))",
      decode: { $0.string.flatMap { Value(rawValue: $0) } }, encode: { .string($0.rawValue) })
  }
}

/// Which numbers a setting may have.
struct NumberRule: Sendable {
  /// Reads on from "a number".
  let text: String
  let allows: @Sendable (Double) -> Bool

  /// From a number on.
  static func atLeast(_ low: Double) -> NumberRule {
    NumberRule(text: "of at least \(JSONValue(low).text)") { $0 >= low }
  }
  /// Larger than a number.
  static func above(_ low: Double) -> NumberRule {
    NumberRule(text: "above \(JSONValue(low).text)") { $0 > low }
  }
  /// Between two, both included.
  static func between(_ low: Double, _ high: Double) -> NumberRule {
    NumberRule(text: "in \(JSONValue(low).text)…\(JSONValue(high).text)") {
      (low...high).contains($0)
    }
  }
  /// From 0 on and below 1: what a running mean keeps.
  static let fraction = NumberRule(text: "from 0 and below 1") { (0..<1).contains($0) }
}

extension JSONValue {
  /// The text, if this is some.
  var string: String? { if case .string(let string) = self { string } else { nil } }

  /// As a message shows it: short values themselves, else their kind.
  var shown: String {
    switch self {
    case .string(let string): string.quotedBriefly
    case .number(let text) where text.utf8.count <= 40: text
    case .boolean, .null: text
    case .array where text.utf8.count <= 40: text
    default: kind
    }
  }
}
