import Models
import Tensors

/// What a run trains: a preset, the model of a folder, or an architecture.
protocol NetworkChoice {
  /// Networks of this project.
  associatedtype Preset: RawRepresentable<String>, CaseIterable

  /// A new network of this project's.
  static func preset(_ preset: Preset) -> Self
  /// A model that is trained further.
  static func folder(_ path: String) -> Self
  /// A new network with the sizes of a `config.json`.
  static func architecture(_ values: JSONObject) -> Self

  /// As the settings have it.
  var json: JSONValue { get }

  /// Checks that an architecture can be built.
  ///
  /// - Throws: ``TrainingSettingsError`` if it can't.
  static func check(
    _ values: JSONObject, source: String, path: String
  ) throws(TrainingSettingsError)
}

extension NetworkChoice {
  /// Reads and writes the field.
  mutating func visit(
    _ key: String, _ fields: inout SettingsFields
  ) throws(TrainingSettingsError) {
    let names = Preset.allCases.map { $0.rawValue.quotedAsJSON }.joined(separator: ", ")
    try fields.field(
      key, &self,
      expected: "\(names), the path of a model's folder (with a slash: \"./name\"), or an object",
      decode: { value in
        switch value {
        case .string(let text):
          Preset(rawValue: text).map { .preset($0) }
            ?? (text.contains("/") ? .folder(text) : nil)
        case .object(let object): .architecture(object)
        default: nil
        }
      },
      encode: { $0.json })
    if case .object(let values) = json, !fields.isWriting {
      try Self.check(values, source: fields.source, path: fields.place(key))
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
