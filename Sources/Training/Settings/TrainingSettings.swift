public import Foundation
public import Tensors

/// The settings of a run that trains an autoencoder: a JSON file with keys in snake case, each of
/// which may be left out.
///
/// Reading is strict: an unknown key, another type or a value out of range is an error that names
/// the key's path. ``text`` is the whole with all defaults, and reads back to the same settings.
public struct TrainingSettings: Hashable, Sendable {
  /// `model`: what is trained.
  public var model = ModelChoice.preset(.photo)
  /// `bottleneck`: what stands between encoder and decoder.
  public var bottleneck = BottleneckSettings()
  /// `data`: what it is trained with.
  public var data = DataSettings()
  /// `objective`: what is made small.
  public var objective = ObjectiveSettings()
  /// `optimizer`: how.
  public var optimizer = OptimizerSettings()
  /// `train`: how long, and what is kept of the run.
  public var train = RunSettings()

  /// The defaults.
  public init() {}

  /// Settings from a JSON object.
  ///
  /// - Throws: ``TrainingSettingsError``.
  public init(_ values: JSONObject, source: String) throws(TrainingSettingsError) {
    _ = try SettingsFields.read(&self, from: values, source: source)
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
    do {
      let file = try ByteSource(contentsOf: url)
      guard file.byteCount <= Self.byteLimit else {
        throw ByteSourceError(
          name: url.path, reason: "is larger than the limit of \(Self.byteLimit) bytes")
      }
      bytes = try file.bytes(in: 0..<file.byteCount)
    } catch {
      throw TrainingSettingsError(
        source: url.path,
        problem: .unreadable((error as? ByteSourceError)?.reason ?? "\(error)"))
    }
    try self.init(decoding: bytes, source: url.path)
  }

  private static let byteLimit = 1 << 20

  /// All settings as a JSON object.
  public var values: JSONObject { SettingsFields.written(self) }

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
  ) throws(TrainingSettingsError) -> TrainingSettings {
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
  ) throws(TrainingSettingsError) -> TrainingSettings {
    var object = JSONObject()
    for (path, text) in changes {
      let value = (try? JSONParser.parse(Array(text.utf8))) ?? .string(text)
      let keys = path.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
      Self.put(value, at: keys[...], into: &object)
    }
    var changed: TrainingSettings = self
    let texts = changes.map { "\($0.path)=\($0.text)" }
    _ = try SettingsFields.read(
      &changed, from: object,
      source: "the setting\(texts.count == 1 ? "" : "s") \(texts.joined(separator: ", "))")
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

extension TrainingSettings: SettingsGroup {
  mutating func visit(_ fields: inout SettingsFields) throws(TrainingSettingsError) {
    try model.visit("model", &fields)
    try fields.group("bottleneck", &bottleneck)
    try fields.group("data", &data)
    try fields.group("objective", &objective)
    try fields.group("optimizer", &optimizer)
    try fields.group("train", &train)
    for (path, isWanted, side) in objective.leastSides where isWanted && data.crop < side {
      try fields.refuse(
        path, if: true, "takes pictures of \(side) pixels a side, and data.crop is \(data.crop)")
    }
  }
}

// MARK: Comparing

extension TrainingSettings {
  /// Settings that a run may change when it goes on: they don't change what a step computes.
  private static let changeable: Set = [
    "train.steps", "train.threads", "train.log_every", "train.validate_every",
    "train.sample_every", "train.sample_count", "train.checkpoint_every", "train.keep_checkpoints",
    "train.activation_checkpointing", "data.cache_mib", "data.unreadable_limit",
  ]

  /// What differs between the settings of a checkpoint and those of the run that is to go on from
  /// it, except what may: `optimizer.learning_rate is 0.001, and was 0.0001`.
  ///
  /// `train.steps` may change, so that a run can be prolonged; a cosine then follows the new length.
  public func differences(from earlier: TrainingSettings) -> [String] {
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
