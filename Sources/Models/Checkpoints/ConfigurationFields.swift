public import FoundationEssentials
public import Tensors

/// The fields of a `config.json`: strict about types, tolerant of fields that nobody asks for.
public struct ConfigurationFields: Hashable, Sendable {
  /// The file's path, or whence the values were inferred.
  public let source: String
  /// The fields.
  public var values: JSONObject

  /// The largest file that is read, in bytes.
  private static let byteLimit = 64 << 20

  /// Fields that come from elsewhere than a file.
  public init(_ values: JSONObject, source: String) {
    self.values = values
    self.source = source
  }

  /// Reads a file.
  ///
  /// - Throws: ``CheckpointError`` where it can't be read, or isn't an object in JSON.
  public init(contentsOf url: URL) throws(CheckpointError) {
    let bytes: [UInt8]
    do throws(ByteSourceError) {
      bytes = try ByteSource.bytes(contentsOf: url, limit: Self.byteLimit)
    } catch {
      throw .unreadable(path: error.name, reason: error.reason)
    }
    try self.init(parsing: bytes, source: url.path)
  }

  /// Reads what a file holds.
  ///
  /// - Throws: ``CheckpointError`` where it isn't an object in JSON.
  package init(parsing bytes: [UInt8], source: String) throws(CheckpointError) {
    self.source = source
    let value: JSONValue
    do {
      value = try JSONParser.parse(bytes, byteLimit: Self.byteLimit)
    } catch {
      throw .json(path: source, error)
    }
    guard case .object(let values) = value else {
      throw .field(path: source, name: "the file", expected: "an object", found: value.kind)
    }
    self.values = values
  }

  /// A field of another type than the caller can use.
  private func mismatch(_ name: String, expected: String) -> CheckpointError {
    .field(
      path: source, name: name, expected: expected, found: values[name]?.kind ?? "absent")
  }

  /// Whether the field is there and isn't `null`.
  public func has(_ name: String) -> Bool {
    values[name].map { $0 != .null } ?? false
  }

  /// An integer; `fallback` where the field is absent or `null`.
  ///
  /// - Throws: ``CheckpointError/field(path:name:expected:found:)`` where it is something else.
  public func integer(_ name: String, or fallback: Int) throws(CheckpointError) -> Int {
    guard has(name) else { return fallback }
    guard let value = values[name]?.integer(as: Int.self) else {
      throw mismatch(name, expected: "an integer")
    }
    return value
  }

  /// An integer; nil where the field is `null`, and `fallback` where it is absent.
  ///
  /// - Throws: ``CheckpointError/field(path:name:expected:found:)`` where it is something else.
  public func optionalInteger(_ name: String, or fallback: Int?) throws(CheckpointError) -> Int? {
    guard let value = values[name] else { return fallback }
    return value == .null ? nil : try integer(name, or: 0)
  }

  /// A number; `fallback` where the field is absent or `null`.
  ///
  /// - Throws: ``CheckpointError/field(path:name:expected:found:)`` where it is something else.
  public func number(_ name: String, or fallback: Double) throws(CheckpointError) -> Double {
    guard has(name) else { return fallback }
    guard let value = values[name]?.double else { throw mismatch(name, expected: "a number") }
    return value
  }

  /// A boolean; `fallback` where the field is absent or `null`.
  ///
  /// - Throws: ``CheckpointError/field(path:name:expected:found:)`` where it is something else.
  public func boolean(_ name: String, or fallback: Bool) throws(CheckpointError) -> Bool {
    guard has(name) else { return fallback }
    guard case .boolean(let value)? = values[name] else {
      throw mismatch(name, expected: "true or false")
    }
    return value
  }

  /// A string; `fallback` where the field is absent or `null`.
  ///
  /// - Throws: ``CheckpointError/field(path:name:expected:found:)`` where it is something else.
  public func string(_ name: String, or fallback: String) throws(CheckpointError) -> String {
    guard has(name) else { return fallback }
    guard case .string(let value)? = values[name] else {
      throw mismatch(name, expected: "a string")
    }
    return value
  }

  /// A list of integers; `fallback` where the field is absent or `null`.
  ///
  /// - Throws: ``CheckpointError/field(path:name:expected:found:)`` where it is something else.
  public func integers(_ name: String, or fallback: [Int]) throws(CheckpointError) -> [Int] {
    try list(name, of: "integers") { $0.integer(as: Int.self) } ?? fallback
  }

  /// A list of strings; `fallback` where the field is absent or `null`.
  ///
  /// - Throws: ``CheckpointError/field(path:name:expected:found:)`` where it is something else.
  public func strings(_ name: String, or fallback: [String]) throws(CheckpointError) -> [String] {
    let strings = try list(name, of: "strings") { value in
      if case .string(let string) = value { string } else { nil }
    }
    return strings ?? fallback
  }

  /// A list of numbers; nil where the field is absent or `null`.
  ///
  /// - Throws: ``CheckpointError/field(path:name:expected:found:)`` where it is something else.
  func numbers(_ name: String) throws(CheckpointError) -> [Float]? {
    try list(name, of: "numbers", \.float)
  }

  /// A list whose elements `element` knows, and `plural` names; nil where the field is absent or
  /// `null`.
  private func list<Element>(
    _ name: String, of plural: String, _ element: (JSONValue) -> Element?
  ) throws(CheckpointError) -> [Element]? {
    guard has(name) else { return nil }
    guard case .array(let values)? = values[name] else {
      throw mismatch(name, expected: "a list of \(plural)")
    }
    var elements: [Element] = []
    for value in values {
      guard let element = element(value) else {
        throw .field(
          path: source, name: name, expected: "a list of \(plural)",
          found: "a list with \(value.kind)")
      }
      elements.append(element)
    }
    return elements
  }

  /// The error for a configuration that can't be built.
  func unsupported(_ reason: String) -> CheckpointError {
    .unknownModel(source: source, reason: reason)
  }
}
