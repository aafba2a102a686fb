public import Models
public import Tensors

/// `model`: what a run trains; in JSON a preset's name, a folder's path, or an architecture.
public enum ModelChoice: Hashable, Sendable {
  /// Networks of this project that train on a few processor cores.
  public enum Preset: String, CaseIterable, Hashable, Sendable {
    /// For photographs: a factor of 8 and 4 channels, about 2.6 million parameters.
    case photo
    /// For small pictures with plain colours: a factor of 4 and 4 channels.
    case emoji
    /// For trying things out: a factor of 2 and 4 channels.
    case tiny
  }

  /// A new network of this project's.
  case preset(Preset)
  /// The model in a folder, which is trained further. Its path contains a slash.
  case folder(String)
  /// A new network with these sizes: a `config.json` as diffusers writes it, with `_class_name`.
  case architecture(JSONObject)

  /// How the network is built.
  public enum Architecture: Hashable, Sendable {
    /// As diffusers' `AutoencoderKL`.
    case kl(AutoencoderKL.Configuration)
    /// As diffusers' `AutoencoderTiny`.
    case tiny(AutoencoderTiny.Configuration)
  }

  /// The sizes of a new network; nil for one that is loaded from a folder.
  ///
  /// - Throws: ``TrainingSettingsError`` for an architecture that can't be built.
  public func architecture() throws(TrainingSettingsError) -> Architecture? {
    switch self {
    case .preset(let preset): .kl(preset.configuration)
    case .folder: nil
    case .architecture(let values): try Self.read(values, source: "settings", path: "model")
    }
  }

  private static let classes = [
    (name: AutoencoderKL.className, keys: AutoencoderKL.Configuration.keys),
    (name: AutoencoderTiny.className, keys: AutoencoderTiny.Configuration.keys),
  ]

  private static func read(
    _ values: JSONObject, source: String, path: String
  ) throws(TrainingSettingsError) -> Architecture {
    let fields = SettingsFields(values, source: source, path: path)
    let names = classes.map { $0.name.quotedAsJSON }.joined(separator: " or ")
    guard let found = classes.first(where: { $0.name == values["_class_name"]?.string }) else {
      throw fields.error(
        .value(
          path: fields.place("_class_name"), expected: names,
          found: values["_class_name"]?.shown ?? "absent"))
    }
    let known = ["_class_name", "_diffusers_version"] + found.keys
    for member in values.members where !known.contains(member.key) {
      throw fields.unknownKey(member.key, known: known)
    }
    let configuration = ConfigurationFields(values, source: path)
    do throws(CheckpointError) {
      return found.name == AutoencoderKL.className
        ? .kl(try AutoencoderKL.Configuration(configuration))
        : .tiny(try AutoencoderTiny.Configuration(configuration))
    } catch {
      switch error {
      case .field(_, let name, let expected, let found):
        throw fields.error(.value(path: fields.place(name), expected: expected, found: found))
      case .unknownModel(_, let reason):
        throw fields.error(.conflict(path: path, reason: reason))
      default: throw fields.error(.conflict(path: path, reason: "\(error)"))
      }
    }
  }
}

extension ModelChoice.Preset {
  /// The preset's sizes.
  public var configuration: AutoencoderKL.Configuration {
    let channels =
      switch self {
      case .photo: [32, 64, 128, 128]
      case .emoji: [32, 64, 64]
      case .tiny: [16, 32]
      }
    var configuration = AutoencoderKL.Configuration()
    configuration.blockOutChannels = channels
    configuration.downBlockTypes = channels.map { _ in "DownEncoderBlock2D" }
    configuration.upBlockTypes = channels.map { _ in "UpDecoderBlock2D" }
    configuration.normNumGroups = self == .tiny ? 8 : 16
    configuration.sampleSize = self == .photo ? 128 : self == .emoji ? 64 : 32
    // Attention over a whole picture costs more than it gives so small a network.
    configuration.midBlockAddAttention = false
    configuration.scalingFactor = 1
    return configuration
  }
}

extension ModelChoice {
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
      encode: { choice in
        switch choice {
        case .preset(let preset): .string(preset.rawValue)
        case .folder(let path): .string(path)
        case .architecture(let values): .object(values)
        }
      })
    if case .architecture(let values) = self, !fields.isWriting {
      _ = try Self.read(values, source: fields.source, path: fields.place(key))
    }
  }
}
