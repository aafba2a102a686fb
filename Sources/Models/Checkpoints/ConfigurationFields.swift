public import FoundationEssentials
public import Tensors

/// The fields of a `config.json`: strict about types, tolerant of fields that nobody asks for.
public struct ConfigurationFields: Hashable, Sendable {
  /// The file's path, or whence the values were inferred.
  public let source: String
  /// The fields.
  public var values: [String: JSONValue]

  /// The largest file that is read, in bytes.
  private static let byteLimit = 64 << 20

  /// Fields that come from elsewhere than a file.
  public init(_ values: [String: JSONValue], source: String) {
    self.values = values
    self.source = source
  }

  /// Reads a file.
  ///
  /// - Throws: ``CheckpointError`` where it can't be read, or isn't an object in JSON.
  public init(contentsOf url: URL) throws(CheckpointError) {
    source = url.path
    let bytes: [UInt8]
    do {
      let file = try ByteSource(contentsOf: url)
      bytes = try file.bytes(in: 0..<min(file.byteCount, Self.byteLimit + 1))
    } catch {
      throw .unreadable(path: error.name, reason: error.reason)
    }
    guard bytes.count <= Self.byteLimit else {
      throw .unreadable(path: source, reason: "is larger than the limit of \(Self.byteLimit) bytes")
    }
    let value: JSONValue
    do {
      value = try JSONParser.parse(bytes)
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
    guard case .integer(let value)? = values[name] else {
      throw mismatch(name, expected: "an integer")
    }
    return value
  }

  /// A number; `fallback` where the field is absent or `null`.
  ///
  /// - Throws: ``CheckpointError/field(path:name:expected:found:)`` where it is something else.
  public func number(_ name: String, or fallback: Double) throws(CheckpointError) -> Double {
    guard has(name) else { return fallback }
    switch values[name] {
    case .integer(let value): return Double(value)
    case .number(let value): return value
    default: throw mismatch(name, expected: "a number")
    }
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
    guard has(name) else { return fallback }
    guard case .array(let elements)? = values[name] else {
      throw mismatch(name, expected: "a list of integers")
    }
    var integers: [Int] = []
    for element in elements {
      guard case .integer(let value) = element else {
        throw .field(
          path: source, name: name, expected: "a list of integers",
          found: "a list with \(element.kind)")
      }
      integers.append(value)
    }
    return integers
  }

  /// A list of strings; `fallback` where the field is absent or `null`.
  ///
  /// - Throws: ``CheckpointError/field(path:name:expected:found:)`` where it is something else.
  public func strings(_ name: String, or fallback: [String]) throws(CheckpointError) -> [String] {
    guard has(name) else { return fallback }
    guard case .array(let elements)? = values[name] else {
      throw mismatch(name, expected: "a list of strings")
    }
    var strings: [String] = []
    for element in elements {
      guard case .string(let value) = element else {
        throw .field(
          path: source, name: name, expected: "a list of strings",
          found: "a list with \(element.kind)")
      }
      strings.append(value)
    }
    return strings
  }
}
