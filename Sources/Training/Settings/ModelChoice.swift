public import Models
import Pipelines
public import Tensors

/// `model`: which autoencoder a run of `lvae train` trains.
public typealias ModelChoice = NetworkChoice<AutoencoderPreset>

/// Autoencoders of this project that train on a few processor cores.
public enum AutoencoderPreset: String, NetworkPreset {
  /// For photographs: a factor of 8, 16 channels without a variance, 2.8 million parameters.
  case photo
  /// For small pictures and diffusion in their latents: a factor of 4, 4 channels with a variance,
  /// 2.2 million parameters.
  case emoji
  /// For trying things out: an `AutoencoderKL` with a factor of 2 and 4 channels.
  case tiny

  /// The models that are part of the program and may be trained further.
  public static var builtInNames: [String] { EmbeddedModels.names }

  /// Checks that an architecture can be built.
  ///
  /// - Throws: ``TrainingSettingsError`` if it can't.
  public static func check(
    _ values: JSONObject, source: String, path: String
  ) throws(TrainingSettingsError) {
    _ = try AutoencoderArchitecture(values, source: source, path: path)
  }
}

/// How an autoencoder is built.
public enum AutoencoderArchitecture: Hashable, Sendable {
  /// As diffusers' `AutoencoderKL`.
  case kl(AutoencoderKL.Configuration)
  /// As diffusers' `AutoencoderTiny`.
  case tiny(AutoencoderTiny.Configuration)
  /// As this project's `AutoencoderCompact`.
  case compact(AutoencoderCompact.Configuration)
}

extension AutoencoderArchitecture {
  private static let classes = [
    (name: AutoencoderKL.className, keys: AutoencoderKL.Configuration.keys),
    (name: AutoencoderTiny.className, keys: AutoencoderTiny.Configuration.keys),
    (name: AutoencoderCompact.className, keys: AutoencoderCompact.Configuration.keys),
  ]

  /// The architecture of a `config.json`.
  ///
  /// - Throws: ``TrainingSettingsError`` for one that can't be built.
  init(_ values: JSONObject, source: String, path: String) throws(TrainingSettingsError) {
    let fields = SettingsFields(values, source: source, path: path)
    let names = Self.classes.map { $0.name.quotedAsJSON }.joined(separator: " or ")
    guard let found = Self.classes.first(where: { $0.name == values["_class_name"]?.string }) else {
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
    self = try fields.architecture { () throws(CheckpointError) in
      switch found.name {
      case AutoencoderKL.className: Self.kl(try AutoencoderKL.Configuration(configuration))
      case AutoencoderTiny.className: .tiny(try AutoencoderTiny.Configuration(configuration))
      default: .compact(try AutoencoderCompact.Configuration(configuration))
      }
    }
  }
}

extension NetworkChoice<AutoencoderPreset> {
  /// The sizes of a new network; nil for one that is trained further.
  ///
  /// - Throws: ``TrainingSettingsError`` for an architecture that can't be built.
  public func architecture() throws(TrainingSettingsError) -> AutoencoderArchitecture? {
    switch self {
    case .preset(let preset): preset.architecture
    case .folder, .builtIn: nil
    case .architecture(let values):
      try AutoencoderArchitecture(values, source: "settings", path: "model")
    }
  }
}

extension AutoencoderPreset {
  /// The preset's network.
  public var architecture: AutoencoderArchitecture {
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
