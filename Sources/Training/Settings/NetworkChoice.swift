import Models
public import Tensors

/// Networks of this project that a run can train from nothing.
public protocol NetworkPreset: RawRepresentable<String>, CaseIterable, Hashable, Sendable {
  /// The models that are part of the program and may be trained further.
  static var builtInNames: [String] { get }

  /// Checks that an architecture can be built.
  ///
  /// - Parameters:
  ///   - values: A `config.json`, with `_class_name`.
  ///   - source: Where the settings stand.
  ///   - path: The architecture's place among them.
  /// - Throws: ``TrainingSettingsError`` if it can't.
  static func check(
    _ values: JSONObject, source: String, path: String
  ) throws(TrainingSettingsError)
}

/// `model`: what a run trains; in JSON a preset's name, a model's path or name, or an architecture.
public enum NetworkChoice<Preset: NetworkPreset>: Hashable, Sendable {
  /// A new network of this project's.
  case preset(Preset)
  /// The model in a folder, which is trained further. Its path contains a slash.
  case folder(String)
  /// A model that is part of the program, which is trained further: `builtin:` and its name.
  case builtIn(String)
  /// A new network with these sizes: a `config.json` as diffusers writes it, with `_class_name`.
  case architecture(JSONObject)
}

extension NetworkChoice {
  /// What stands before the name of a model that is part of the program.
  public static var builtInPrefix: String { "builtin:" }

  /// Whether the network begins with random parameters.
  var isNew: Bool {
    switch self {
    case .preset, .architecture: true
    case .folder, .builtIn: false
    }
  }

  /// As the settings have it.
  var json: JSONValue {
    switch self {
    case .preset(let preset): .string(preset.rawValue)
    case .folder(let path): .string(path)
    case .builtIn(let name): .string(Self.builtInPrefix + name)
    case .architecture(let values): .object(values)
    }
  }

  /// From what stands in the settings; nil for what isn't there to be trained.
  private init?(_ value: JSONValue) {
    switch value {
    case .string(let text):
      if let preset = Preset(rawValue: text) {
        self = .preset(preset)
      } else if let name = Preset.builtInNames.first(where: { text == Self.builtInPrefix + $0 }) {
        self = .builtIn(name)
      } else if text.contains("/") {
        self = .folder(text)
      } else {
        return nil
      }
    case .object(let values): self = .architecture(values)
    default: return nil
    }
  }

  /// Reads and writes the field.
  mutating func visit(
    _ key: String, _ fields: inout SettingsFields
  ) throws(TrainingSettingsError) {
    let names =
      Preset.allCases.map { $0.rawValue.quotedAsJSON }
      + Preset.builtInNames.map { (Self.builtInPrefix + $0).quotedAsJSON }
    try fields.field(
      key, &self,
      expected: names.joined(separator: ", ")
        + ", the path of a model's folder (with a slash: \"./name\"), or an object",
      decode: { Self($0) }, encode: { $0.json })
    if case .architecture(let values) = self, !fields.isWriting {
      try Preset.check(values, source: fields.source, path: fields.place(key))
    }
  }
}

extension SettingsFields {
  /// What `read` gives, with its errors as those of these settings.
  func architecture<Configuration>(
    _ read: () throws(CheckpointError) -> Configuration
  ) throws(TrainingSettingsError) -> Configuration {
    do throws(CheckpointError) {
      return try read()
    } catch {
      switch error {
      case .field(_, let name, let expected, let found):
        throw self.error(.value(path: place(name), expected: expected, found: found))
      case .unknownModel(_, let reason):
        throw self.error(.conflict(path: path, reason: reason))
      default: throw self.error(.conflict(path: path, reason: "\(error)"))
      }
    }
  }
}
