public import Models
public import Tensors

/// `model`: what a run trains; in JSON a preset's name, a folder's path, or an architecture.
public enum ModelChoice: Hashable, Sendable {
  /// Networks of this project that train on a few processor cores.
  public enum Preset: String, CaseIterable, Hashable, Sendable {
    /// For photographs: a factor of 8, 16 channels without a variance, 2.8 million parameters.
    case photo
    /// For small pictures and diffusion in their latents: a factor of 4, 4 channels with a variance,
    /// 2.2 million parameters.
    case emoji
    /// For trying things out: an `AutoencoderKL` with a factor of 2 and 4 channels.
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
    /// As this project's `AutoencoderCompact`.
    case compact(AutoencoderCompact.Configuration)
  }

  /// The sizes of a new network; nil for one that is loaded from a folder.
  ///
  /// - Throws: ``TrainingSettingsError`` for an architecture that can't be built.
  public func architecture() throws(TrainingSettingsError) -> Architecture? {
    switch self {
    case .preset(let preset): preset.architecture
    case .folder: nil
    case .architecture(let values): try Self.read(values, source: "settings", path: "model")
    }
  }

  private static let classes = [
    (name: AutoencoderKL.className, keys: AutoencoderKL.Configuration.keys),
    (name: AutoencoderTiny.className, keys: AutoencoderTiny.Configuration.keys),
    (name: AutoencoderCompact.className, keys: AutoencoderCompact.Configuration.keys),
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
    return try fields.architecture { () throws(CheckpointError) in
      switch found.name {
      case AutoencoderKL.className: .kl(try AutoencoderKL.Configuration(configuration))
      case AutoencoderTiny.className: .tiny(try AutoencoderTiny.Configuration(configuration))
      default: .compact(try AutoencoderCompact.Configuration(configuration))
      }
    }
  }
}

extension ModelChoice.Preset {
  /// The preset's network.
  public var architecture: ModelChoice.Architecture {
    switch self {
    case .photo: .compact(AutoencoderCompact.Configuration())
    case .emoji: .compact(Self.smallPictures)
    case .tiny: .kl(Self.trial)
    }
  }

  private static var smallPictures: AutoencoderCompact.Configuration {
    var configuration = AutoencoderCompact.Configuration()
    configuration.patchSize = 2
    configuration.encoderBlockOutChannels = [64, 128]
    configuration.decoderBlockOutChannels = [128, 64]
    configuration.encoderLayers = [1, 2]
    configuration.decoderLayers = [4, 2]
    configuration.latentChannels = 4
    configuration.doubleZ = true
    return configuration
  }

  private static var trial: AutoencoderKL.Configuration {
    let channels = [16, 32]
    var configuration = AutoencoderKL.Configuration()
    configuration.blockOutChannels = channels
    configuration.downBlockTypes = channels.map { _ in "DownEncoderBlock2D" }
    configuration.upBlockTypes = channels.map { _ in "UpDecoderBlock2D" }
    configuration.normNumGroups = 8
    configuration.sampleSize = 32
    // Attention over a whole picture costs more than it gives so small a network.
    configuration.midBlockAddAttention = false
    configuration.scalingFactor = 1
    return configuration
  }
}

extension ModelChoice: NetworkChoice {
  /// As the settings have it.
  var json: JSONValue {
    switch self {
    case .preset(let preset): .string(preset.rawValue)
    case .folder(let path): .string(path)
    case .architecture(let values): .object(values)
    }
  }

  static func check(
    _ values: JSONObject, source: String, path: String
  ) throws(TrainingSettingsError) {
    _ = try read(values, source: source, path: path)
  }
}
