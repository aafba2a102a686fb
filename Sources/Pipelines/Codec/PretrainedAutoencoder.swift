public import Foundation
public import LatentFiles
public import Models
public import Tensors

/// An autoencoder with its weights, and which weights they are.
public struct PretrainedAutoencoder: Sendable {
  /// For people; also in `.latent` files.
  public let name: String
  /// The network.
  public private(set) var autoencoder: any Autoencoder
  /// The SHA-256 that tells its weights from others: of the numbers, whatever file they came from.
  public let sha256: String
  /// The number of parameters.
  public let parameterCount: Int

  /// What a place of a large latent sees in attention; see `Autoencoder.attentionWindow`.
  public var attentionWindow: Int? {
    get { autoencoder.attentionWindow }
    set { autoencoder.attentionWindow = newValue }
  }

  /// A network in memory; its weights are hashed.
  public init(name: String, autoencoder: any Autoencoder) {
    let digest = WeightDigest()
    for (name, tensor) in WeightCollector(autoencoder).tensors { digest.take(name, tensor) }
    self.init(name: name, autoencoder: autoencoder, digest)
  }

  private init(name: String, autoencoder: any Autoencoder, _ digest: WeightDigest) {
    self.name = name
    self.autoencoder = autoencoder
    sha256 = digest.hexadecimal
    parameterCount = digest.parameterCount
  }

  /// Loads a diffusers folder, a TAESD pair or a checkpoint file.
  ///
  /// - Parameters:
  ///   - url: The folder or file.
  ///   - options: What the files can't tell.
  ///   - halves: Which weights are kept in memory; all are read, to know which model it is.
  ///   - name: What to call it; by default the name of the file, or of the folder that says most.
  /// - Throws: `CheckpointError`.
  public init(
    contentsOf url: URL, as options: ImportOptions = ImportOptions(),
    halves: AutoencoderHalves = .both,
    name: String? = nil
  ) throws {
    try self.init(
      ImportedModel(contentsOf: url, options: options), halves: halves,
      name: name ?? Self.name(of: url))
  }

  /// Loads the weights of a model whose files are known.
  init(_ imported: ImportedModel, halves: AutoencoderHalves, name: String) throws {
    let digest = WeightDigest()
    let autoencoder = try imported.autoencoder(halves, inspect: digest.take)
    self.init(name: name, autoencoder: autoencoder, digest)
  }

  /// The name of a file without its extension, or of a folder; that of the folder around it where
  /// it is called as all are.
  private static func name(of url: URL) -> String {
    let generic: Set = ["diffusers", "vae", "diffusion_pytorch_model", "model", "/"]
    var parts = url.standardizedFileURL.pathComponents
    // A folder's name may hold dots that end nothing: `sd-1.5`.
    let extensions = ["safetensors", "ckpt", "pth", "pt", "bin"]
    if let last = parts.last, extensions.contains(url.pathExtension.lowercased()) {
      parts[parts.count - 1] = String(last.dropLast(url.pathExtension.count + 1))
    }
    return parts.last { !generic.contains($0) } ?? "model"
  }

  /// Saves it as a folder that diffusers loads: `config.json` and the weights.
  ///
  /// - Throws: `FileError`; `SafetensorsError` for weights beyond the range of `scalarType`.
  public func save(to folder: URL, as scalarType: ScalarType = .float32) throws {
    let folders = OutputFolders()
    try folders.writeModel(
      autoencoder, configuration: autoencoder.configurationJSON(), to: folder, as: scalarType)
    try folders.finish()
  }

  /// The class's name in `config.json`.
  public var className: String { type(of: autoencoder).className }

  /// What a `.latent` file says about its model.
  public var latentModel: LatentModel {
    let scaling = autoencoder.latentScaling
    return LatentModel(
      name: name, className: className, sha256: sha256, scalingFactor: scaling.factor,
      shiftFactor: scaling.shift, latentsMean: scaling.mean,
      latentsStd: scaling.standardDeviation)
  }
}
