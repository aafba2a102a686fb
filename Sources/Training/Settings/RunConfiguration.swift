public import Foundation
public import Tensors

/// The settings of a run: a JSON file with keys in snake case, each of which may be left out.
///
/// Reading is strict: an unknown key, another type or a value out of range is an error that names
/// the key's path. ``text`` is the whole with all defaults, and reads back to the same settings.
public protocol RunConfiguration: Hashable, Sendable {
  /// The defaults.
  init()

  /// `optimizer`: how parameters follow their gradients.
  var optimizer: OptimizerSettings { get set }

  /// `train`: how long, and what is kept of the run.
  var train: RunSettings { get set }

  /// Replaces the settings that a JSON object has.
  ///
  /// - Throws: ``TrainingSettingsError``.
  mutating func read(_ values: JSONObject, source: String) throws(TrainingSettingsError)

  /// All settings as a JSON object.
  var values: JSONObject { get }

  /// The paths of settings that a run may change when it goes on: they don't change what a step
  /// computes.
  static var changeable: Set<String> { get }
}

extension RunConfiguration {
  /// Settings from a JSON object.
  ///
  /// - Throws: ``TrainingSettingsError``.
  public init(_ values: JSONObject, source: String) throws(TrainingSettingsError) {
    self.init()
    try read(values, source: source)
  }

  /// Settings from the bytes of a JSON document.
  ///
  /// - Throws: ``TrainingSettingsError``.
  public init(decoding bytes: [UInt8], source: String) throws(TrainingSettingsError) {
    let value: JSONValue
    do {
      value = try JSONParser.parse(bytes, byteLimit: Self.byteLimit)
    } catch {
      throw TrainingSettingsError(source: source, problem: .json(error))
    }
    guard case .object(let values) = value else {
      throw TrainingSettingsError(
        source: source,
        problem: .value(path: "the file", expected: "an object", found: value.shown))
    }
    try self.init(values, source: source)
  }

  /// Settings from a file.
  ///
  /// - Throws: ``TrainingSettingsError``, also where the file can't be read.
  public init(contentsOf url: URL) throws(TrainingSettingsError) {
    let bytes: [UInt8]
    do throws(ByteSourceError) {
      bytes = try ByteSource.bytes(contentsOf: url, limit: Self.byteLimit)
    } catch {
      throw TrainingSettingsError(source: url.path, problem: .unreadable(error.reason))
    }
    try self.init(decoding: bytes, source: url.path)
  }

  private static var byteLimit: Int { 1 << 20 }

  /// All settings as a JSON document, a setting a line.
  public var text: String { JSONValue.object(values).indentedText + "\n" }

  /// The settings with one of them replaced, as `optimizer.learning_rate=1e-3` on a command line
  /// says it.
  ///
  /// - Parameters:
  ///   - path: The setting's path.
  ///   - text: The value in JSON; what isn't JSON is taken as a string.
  /// - Returns: The changed settings.
  /// - Throws: ``TrainingSettingsError`` for an unknown setting or a value that isn't allowed.
  public func replacing(
    _ path: String, with text: String
  ) throws(TrainingSettingsError) -> Self {
    try replacing([(path, text)])
  }

  /// The settings with several of them replaced together; the last one counts where two are alike.
  ///
  /// - Parameter changes: Paths and values; see ``replacing(_:with:)``.
  /// - Returns: The changed settings.
  /// - Throws: ``TrainingSettingsError`` for an unknown setting, and for values that aren't allowed
  ///   or don't go together.
  public func replacing(
    _ changes: [(path: String, text: String)]
  ) throws(TrainingSettingsError) -> Self {
    var object = JSONObject()
    for (path, text) in changes {
      let value = (try? JSONParser.parse(Array(text.utf8))) ?? .string(text)
      let keys = path.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
      Self.put(value, at: keys[...], into: &object)
    }
    var changed = self
    let texts = changes.map { "\($0.path)=\($0.text)" }
    try changed.read(
      object, source: "the setting\(texts.count == 1 ? "" : "s") \(texts.joined(separator: ", "))")
    return changed
  }

  private static func put(
    _ value: JSONValue, at keys: ArraySlice<String>, into object: inout JSONObject
  ) {
    guard let first = keys.first else { return }
    guard keys.count > 1 else {
      object[first] = value
      return
    }
    var inner = JSONObject()
    if case .object(let found)? = object[first] { inner = found }
    put(value, at: keys.dropFirst(), into: &inner)
    object[first] = .object(inner)
  }
}

// MARK: Comparing

extension RunConfiguration {
  /// What differs between the settings of a checkpoint and those of the run that is to go on from
  /// it, except what may: `optimizer.learning_rate is 0.001, and was 0.0001`.
  ///
  /// `train.steps` may change, so that a run can be prolonged; a cosine then follows the new length.
  public func differences(from earlier: Self) -> [String] {
    Self.differences(.object(values), .object(earlier.values), at: "")
  }

  private static func differences(
    _ new: JSONValue, _ old: JSONValue, at path: String
  ) -> [String] {
    guard case .object(let new) = new, case .object(let old) = old, path != "model" else {
      return new == old || changeable.contains(path)
        ? [] : ["\(path) is \(new.shown), and was \(old.shown)"]
    }
    return new.members.flatMap { member in
      differences(
        member.value, old[member.key] ?? .null,
        at: path.isEmpty ? member.key : "\(path).\(member.key)")
    }
  }
}
