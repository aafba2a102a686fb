public import Foundation
public import Models
public import Tensors

/// An autoencoder, a denoiser that works on its latents, and the scheduler's settings: a pipeline's
/// folder, as diffusers lays it out.
///
/// | Path | What |
/// |---|---|
/// | `model_index.json` | which class each part is of |
/// | `vae/` (or `vqvae/`, in diffusers' `LDMPipeline`) | the autoencoder |
/// | `unet/` | the denoiser |
/// | `scheduler/scheduler_config.json` | the scheduler's settings |
public struct LatentDiffusionModel: Sendable {
  /// Pictures ⇄ latents.
  public let autoencoder: PretrainedAutoencoder
  /// Works on latents in the autoencoder's ``Models/LatentScaling``.
  public let denoiser: any Denoiser
  /// The fields of `scheduler_config.json`, with `_class_name`.
  public let scheduler: JSONObject

  private static let indexName = "model_index.json"
  private static let schedulerPath = "scheduler/scheduler_config.json"
  /// What the index calls the whole, which diffusers has no class for.
  private static let className = "LatentDiffusionPipeline"

  /// A model from its parts.
  ///
  /// - Throws: ``LatentDiffusionError`` where they don't belong together.
  public init(
    autoencoder: PretrainedAutoencoder, denoiser: any Denoiser, scheduler: JSONObject
  ) throws(LatentDiffusionError) {
    let latentChannels = autoencoder.autoencoder.latentChannels
    guard latentChannels == denoiser.inputChannels else {
      throw .inputChannels(latent: latentChannels, denoiser: denoiser.inputChannels)
    }
    // Twice as many: the variance is learned, too.
    guard [latentChannels, 2 * latentChannels].contains(denoiser.outputChannels) else {
      throw .outputChannels(latent: latentChannels, denoiser: denoiser.outputChannels)
    }
    guard Self.className(of: scheduler) != nil else { throw .noSchedulerClass }
    self.autoencoder = autoencoder
    self.denoiser = denoiser
    self.scheduler = scheduler
  }

  private static func className(of scheduler: JSONObject) -> String? {
    guard case .string(let name)? = scheduler["_class_name"], !name.isEmpty else { return nil }
    return name
  }

  // MARK: Reading

  /// Loads a pipeline's folder.
  ///
  /// - Parameters:
  ///   - folder: The folder with `model_index.json`.
  ///   - options: What the files can't tell, such as the variant of the weights.
  /// - Throws: ``LatentDiffusionError`` where parts are missing or don't belong together, and
  ///   `CheckpointError` where one can't be read.
  public init(contentsOf folder: URL, as options: ImportOptions = ImportOptions()) throws {
    let index = try DiffusionIndex(
      ConfigurationFields(contentsOf: folder.appending(path: Self.indexName)))
    let autoencoder = try PretrainedAutoencoder(
      contentsOf: folder.appending(path: index.autoencoderName), as: options,
      name: folder.standardizedFileURL.lastPathComponent)
    let denoiser = try ImportedModel(
      contentsOf: folder.appending(path: DiffusionIndex.denoiserName), options: options
    ).denoiser()
    let scheduler = try ConfigurationFields(
      contentsOf: folder.appending(path: Self.schedulerPath))
    try index.check(index.autoencoderName, is: autoencoder.className)
    try index.check(DiffusionIndex.denoiserName, is: type(of: denoiser).className)
    try self.init(autoencoder: autoencoder, denoiser: denoiser, scheduler: scheduler.values)
  }

  // MARK: Writing

  /// Saves it as a folder, in which other files stay.
  ///
  /// Each file appears when it is whole, and `model_index.json`, without which the folder is no
  /// model, last: a folder never holds parts of two models that look like one.
  ///
  /// - Throws: `FileError`; `SafetensorsError` for weights beyond the range of `scalarType`.
  public func save(to folder: URL, as scalarType: ScalarType = .float32) throws {
    let folders = OutputFolders()
    let index = folder.appending(path: Self.indexName)
    try SystemCalls.remove(index.path)
    let vae = folder.appending(path: DiffusionIndex.autoencoderNames[0])
    try folders.writeModel(
      autoencoder.autoencoder, configuration: autoencoder.autoencoder.configurationJSON(),
      to: vae, as: scalarType)
    try folders.writeModel(
      denoiser, configuration: denoiser.configurationJSON(),
      to: folder.appending(path: DiffusionIndex.denoiserName), as: scalarType)
    try folders.write(
      Array((JSONValue.object(scheduler).text + "\n").utf8),
      to: folder.appending(path: Self.schedulerPath).path)
    try folders.finish()
    try folders.write(Array((JSONValue.object(indexFields).text + "\n").utf8), to: index.path)
    try folders.finish()
  }

  private var indexFields: JSONObject {
    func part(_ className: String) -> JSONValue {
      .array([.string("diffusers"), .string(className)])
    }
    return [
      "_class_name": .string(Self.className),
      DiffusionIndex.autoencoderNames[0]: part(autoencoder.className),
      DiffusionIndex.denoiserName: part(type(of: denoiser).className),
      DiffusionIndex.schedulerName: part(Self.className(of: scheduler) ?? ""),
    ]
  }
}

/// What a `model_index.json` says of a pipeline's parts.
private struct DiffusionIndex {
  static let autoencoderNames = ["vae", "vqvae"]
  static let denoiserName = "unet"
  static let schedulerName = "scheduler"

  /// `vae` or `vqvae`.
  let autoencoderName: String
  private let path: String
  private let classNames: [String: String]

  /// - Throws: ``LatentDiffusionError`` where a part is missing, or there are others.
  init(_ fields: ConfigurationFields) throws(LatentDiffusionError) {
    path = fields.source
    var classNames: [String: String] = [:]
    for member in fields.values.members where !member.key.hasPrefix("_") {
      // Parts are pairs of a library and a class; `[null, null]` says that there is none.
      guard case .array(let pair) = member.value, pair.count == 2,
        case .string(let className) = pair[1]
      else { continue }
      classNames[member.key] = className
    }
    guard let autoencoderName = Self.autoencoderNames.first(where: { classNames[$0] != nil }) else {
      throw .missingPart(index: path, names: Self.autoencoderNames)
    }
    for name in [Self.denoiserName, Self.schedulerName] where classNames[name] == nil {
      throw .missingPart(index: path, names: [name])
    }
    let known = [autoencoderName, Self.denoiserName, Self.schedulerName]
    if let other = classNames.keys.filter({ !known.contains($0) }).min() {
      throw .unknownPart(index: path, name: other, className: classNames[other] ?? "")
    }
    self.autoencoderName = autoencoderName
    self.classNames = classNames
  }

  /// - Throws: ``LatentDiffusionError/otherClass(index:name:expected:found:)``.
  func check(_ name: String, is found: String) throws(LatentDiffusionError) {
    guard let expected = classNames[name], expected != found else { return }
    throw .otherClass(index: path, name: name, expected: expected, found: found)
  }
}

/// Why an autoencoder, a denoiser and a scheduler make no model.
public enum LatentDiffusionError: Error, Hashable, Sendable {
  /// The denoiser takes latents of other channels than the autoencoder gives.
  case inputChannels(latent: Int, denoiser: Int)
  /// The denoiser's estimates have other channels than latents.
  case outputChannels(latent: Int, denoiser: Int)
  /// The scheduler's settings don't say of which class it is.
  case noSchedulerClass
  /// The index lacks a part, which may have several names.
  case missingPart(index: String, names: [String])
  /// The index has a part that isn't known.
  case unknownPart(index: String, name: String, className: String)
  /// A part's own configuration is of another class than the index says.
  case otherClass(index: String, name: String, expected: String, found: String)
}

extension LatentDiffusionError: CustomStringConvertible {
  /// What is wrong, and what to do.
  public var description: String {
    switch self {
    case .inputChannels(let latent, let denoiser):
      "the autoencoder's latents have \(latent) channels, and the denoiser takes \(denoiser) "
        + "(in_channels); use a denoiser that was trained on latents of this autoencoder"
    case .outputChannels(let latent, let denoiser):
      "the autoencoder's latents have \(latent) channels, and the denoiser gives \(denoiser) "
        + "(out_channels), neither as many nor twice as many; use one that was trained on them"
    case .noSchedulerClass:
      "the scheduler's settings have no _class_name; add one, such as \"DDIMScheduler\""
    case .missingPart(let index, let names):
      "\(index): names no \(names.joined(separator: " or ")); give the folder of a pipeline with an "
        + "autoencoder, a UNet2DModel and a scheduler"
    case .unknownPart(let index, let name, let className):
      "\(index): the pipeline has the part \(name) (\(className)), which can't be used here; only "
        + "pipelines of an autoencoder, a UNet2DModel and a scheduler can"
    case .otherClass(let index, let name, let expected, let found):
      "\(index): says that \(name) is of the class \(expected), and its own config.json says "
        + "\(found); fetch the model's files again"
    }
  }
}
