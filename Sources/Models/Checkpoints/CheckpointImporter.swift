public import FoundationEssentials
import Tensors

/// A model as another project keeps it: what it is, its settings, and its weights under the names
/// that diffusers gives them.
public struct ImportedModel: Sendable {
  /// The class, as diffusers names it: `AutoencoderKL`, `AutoencoderTiny`, `UNet2DModel`.
  public let className: String
  /// The settings, with the names of diffusers' `config.json`.
  public let configuration: ConfigurationFields
  /// The weights.
  public let checkpoint: Checkpoint

  package init(className: String, configuration: ConfigurationFields, checkpoint: Checkpoint) {
    self.className = className
    self.configuration = configuration
    self.checkpoint = checkpoint
  }

  /// Reads a model from a file or folder, by the first importer that knows what it is.
  ///
  /// - Throws: ``CheckpointError`` where no importer knows it, or a file is wrong.
  public init(
    contentsOf url: URL, options: ImportOptions = ImportOptions()
  ) throws(CheckpointError) {
    guard let importer = Self.importers.first(where: { $0.recognizes(url) }) else {
      throw .unknownModel(source: url.path, reason: "no model is recognised here")
    }
    self = try importer.importModel(at: url, options: options)
  }

  /// A model whose files are in memory.
  ///
  /// - Parameters:
  ///   - configuration: The bytes of its `config.json`.
  ///   - weights: The bytes of its safetensors file.
  ///   - source: What messages call it.
  /// - Throws: ``CheckpointError``.
  package init(
    configuration: [UInt8], safetensors weights: [UInt8], source: String
  ) throws(CheckpointError) {
    let fields = try ConfigurationFields(parsing: configuration, source: source)
    let file: Safetensors
    do {
      file = try Safetensors(bytes: ByteSource(weights, name: source))
    } catch {
      throw .safetensors(error)
    }
    self.init(
      className: try fields.string("_class_name", or: ""), configuration: fields,
      checkpoint: Checkpoint(file))
  }

  /// All importers, in the order in which they are asked.
  public static let importers: [any CheckpointImporter] = [
    DiffusersImporter(), TAESDImporter(), CompVisImporter(),
  ]
}

/// Reads the checkpoints of one project: a rule for names plus a reading of its settings.
public protocol CheckpointImporter: Sendable {
  /// Whether what lies at `url` looks like this project's; looks at names only.
  func recognizes(_ url: URL) -> Bool

  /// Reads the model at `url`.
  ///
  /// - Throws: ``CheckpointError`` where a file is missing or wrong.
  func importModel(at url: URL, options: ImportOptions) throws(CheckpointError) -> ImportedModel
}

extension String {
  /// The number of a layer that the name starts with: 12 in `12.conv.0.weight`.
  ///
  /// Nothing where the part before the first point isn't a number below 10000.
  var leadingLayerNumber: Int? {
    guard let number = Int(prefix { $0 != "." }), (0..<10_000).contains(number) else { return nil }
    return number
  }
}

/// What the files of a model can't tell.
public struct ImportOptions: Hashable, Sendable {
  /// The variant of the weights, `fp16` for example; without one, full precision is preferred.
  public var variant: String?
  /// The family of an autoencoder without `config.json`; without one, it is guessed: Stable
  /// Diffusion 1 and 2 for 4 latent channels, FLUX for 16.
  public var family: AutoencoderFamily?

  /// Options; the defaults suit most files.
  public init(variant: String? = nil, family: AutoencoderFamily? = nil) {
    self.variant = variant
    self.family = family
  }
}

/// Families of autoencoders that have the same shapes and different scales of latents.
public enum AutoencoderFamily: String, Hashable, Sendable, CaseIterable {
  /// Stable Diffusion 1 and 2.
  case stableDiffusion = "sd"
  /// Stable Diffusion XL.
  case stableDiffusionXL = "sdxl"
  /// Stable Diffusion 3.
  case stableDiffusion3 = "sd3"
  /// FLUX.1.
  case flux

  /// What latents are multiplied by before diffusion.
  public var scalingFactor: Double {
    switch self {
    case .stableDiffusion: 0.18215
    case .stableDiffusionXL: 0.13025
    case .stableDiffusion3: 1.5305
    case .flux: 0.3611
    }
  }

  /// What is subtracted from latents before they are scaled.
  public var shiftFactor: Double {
    switch self {
    case .stableDiffusion, .stableDiffusionXL: 0
    case .stableDiffusion3: 0.0609
    case .flux: 0.1159
    }
  }

  /// The side in pixels of the pictures that it was trained with.
  public var sampleSize: Int { self == .stableDiffusion ? 512 : 1024 }

  /// The channels of its latents.
  public var latentChannels: Int {
    switch self {
    case .stableDiffusion, .stableDiffusionXL: 4
    case .stableDiffusion3, .flux: 16
    }
  }
}
