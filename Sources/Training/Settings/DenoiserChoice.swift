public import Models
import Pipelines
public import Tensors

/// `model`: which denoiser a run of `lvae diffuse-train` trains.
///
/// The channels and classes of an architecture are replaced by those of the data.
public typealias DenoiserChoice = NetworkChoice<DenoiserPreset>

/// Denoisers that train on a few processor cores.
public enum DenoiserPreset: String, NetworkPreset {
  /// Two resolutions of 64 and 128 channels, attention at the second; 3.9 million parameters.
  case small
  /// Two resolutions of 32 and 64 channels; 0.6 million parameters.
  case tiny

  /// The models that are part of the program and may be trained further.
  public static var builtInNames: [String] { DiffusionModels.names }

  /// Checks that an architecture can be built.
  ///
  /// - Throws: ``TrainingSettingsError`` if it can't.
  public static func check(
    _ values: JSONObject, source: String, path: String
  ) throws(TrainingSettingsError) {
    _ = try read(values, source: source, path: path)
  }

  fileprivate static func read(
    _ values: JSONObject, source: String, path: String
  ) throws(TrainingSettingsError) -> UNet2DModel.Configuration {
    let fields = SettingsFields(values, source: source, path: path)
    let expected = UNet2DModel.className
    guard values["_class_name"]?.string == expected else {
      throw fields.error(
        .value(
          path: fields.place("_class_name"), expected: expected.quotedAsJSON,
          found: values["_class_name"]?.shown ?? "absent"))
    }
    return try fields.architecture { () throws(CheckpointError) in
      try UNet2DModel.Configuration(ConfigurationFields(values, source: path))
    }
  }
}

extension NetworkChoice<DenoiserPreset> {
  /// The sizes of a new network; nil for one that is trained further.
  ///
  /// - Parameters:
  ///   - channels: those of the latents.
  ///   - size: the latents' height and width.
  ///   - labelCount: how many labels there are; nil for none.
  /// - Returns: the sizes.
  /// - Throws: ``TrainingSettingsError`` for an architecture that can't be built.
  public func architecture(
    channels: Int, size: [Int], labelCount: Int?
  ) throws(TrainingSettingsError) -> UNet2DModel.Configuration? {
    var configuration: UNet2DModel.Configuration
    switch self {
    case .folder, .builtIn: return nil
    case .preset(let preset): configuration = preset.configuration
    case .architecture(let values):
      configuration = try Preset.read(values, source: "settings", path: "model")
    }
    configuration.inChannels = channels
    configuration.outChannels = channels
    configuration.sampleSize = size
    configuration.numClassEmbeds = labelCount
    return configuration
  }
}

extension DenoiserPreset {
  /// The preset's sizes, but for what the data decide.
  public var configuration: UNet2DModel.Configuration {
    var configuration = UNet2DModel.Configuration()
    configuration.downBlockTypes = ["DownBlock2D", "AttnDownBlock2D"]
    configuration.upBlockTypes = ["AttnUpBlock2D", "UpBlock2D"]
    configuration.attentionHeadDim = 32
    configuration.normNumGroups = 16
    switch self {
    case .small:
      configuration.blockOutChannels = [64, 128]
      configuration.layersPerBlock = 2
      configuration.timeEmbeddingDim = 192
    case .tiny:
      configuration.blockOutChannels = [32, 64]
      configuration.layersPerBlock = 1
    }
    return configuration
  }
}
