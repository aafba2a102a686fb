public import Foundation
public import Models
public import Schedulers
public import Tensors

/// An autoencoder, a denoiser that works on its latents, and the scheduler's settings: a pipeline's
/// folder, as diffusers lays it out.
///
/// | Path | What |
/// |---|---|
/// | `model_index.json` | which class each part is of, and the names of the classes (`id2label`) |
/// | `vae/` (or `vqvae/`, in diffusers' `LDMPipeline`) | the autoencoder |
/// | `unet/` | the denoiser |
/// | `scheduler/scheduler_config.json` | the scheduler's settings |
public struct LatentDiffusionModel: Sendable {
  /// Pictures ⇄ latents.
  public let autoencoder: PretrainedAutoencoder
  /// Works on latents in the autoencoder's `LatentScaling`.
  public let denoiser: any Denoiser
  /// How noise was added when the denoiser was trained, and how it is sampled by default.
  public let scheduler: SchedulerConfiguration
  /// The names of the classes, in the order of their labels; empty where there are none.
  public let classNames: [String]

  private static let indexName = "model_index.json"
  private static let schedulerPath = "scheduler/scheduler_config.json"
  /// What the index calls the whole, which diffusers has no class for.
  private static let className = "LatentDiffusionPipeline"

  /// A model from its parts.
  ///
  /// - Throws: ``LatentDiffusionError`` where they don't belong together.
  public init(
    autoencoder: PretrainedAutoencoder, denoiser: any Denoiser, scheduler: SchedulerConfiguration,
    classNames: [String] = []
  ) throws(LatentDiffusionError) {
    let latentChannels = autoencoder.autoencoder.latentChannels
    guard latentChannels == denoiser.inputChannels else {
      throw .inputChannels(latent: latentChannels, denoiser: denoiser.inputChannels)
    }
    // Twice as many: the variance is learned, too.
    guard [latentChannels, 2 * latentChannels].contains(denoiser.outputChannels) else {
      throw .outputChannels(latent: latentChannels, denoiser: denoiser.outputChannels)
    }
    guard classNames.count <= denoiser.labelCount ?? 0 else {
      throw .classes(names: classNames.count, labels: denoiser.labelCount ?? 0)
    }
    self.autoencoder = autoencoder
    self.denoiser = denoiser
    self.scheduler = scheduler
    // A model of others may not say what its labels mean.
    self.classNames =
      classNames.isEmpty ? (0..<(denoiser.labelCount ?? 0)).map { "\($0)" } : classNames
  }

  /// The label that stands for no class: the one behind all classes, if there is one.
  public var nullLabel: Int? {
    denoiser.labelCount.flatMap { $0 > classNames.count ? classNames.count : nil }
  }

  /// The label of a class that a user names: by its name, or by its number.
  ///
  /// - Throws: ``DiffusionError``, where the model has no such class.
  public func label(named name: String) throws(DiffusionError) -> Int {
    guard !classNames.isEmpty else { throw .noClasses(model: autoencoder.name) }
    // A name may be a number, too; then it is meant.
    if let label = classNames.firstIndex(of: name) { return label }
    guard let label = Int(name), classNames.indices.contains(label) else {
      throw .unknownClass(name, known: classNames)
    }
    return label
  }

  /// What the sides of a picture have to be multiples of.
  public var pictureFactor: Int {
    autoencoder.autoencoder.spatialFactor * denoiser.spatialFactor
  }

  /// The SHA-256 that tells the denoiser's weights from others, as
  /// ``PretrainedAutoencoder/sha256``.
  public var denoiserSHA256: String {
    let digest = WeightDigest()
    for (name, tensor) in WeightCollector(denoiser).tensors { digest.take(name, tensor) }
    return digest.hexadecimal
  }

  /// Labels of so many pictures, the classes in turn; nil without classes.
  public func labelsInTurn(count: Int) -> [Int]? {
    classNames.isEmpty ? nil : (0..<count).map { $0 % classNames.count }
  }

  /// The height and width of the latents that the denoiser was trained with.
  public var latentSize: (height: Int, width: Int) {
    let size = denoiser.trainedSize ?? [32]
    return (size[0], size[size.count - 1])
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
    let scheduler = try SchedulerConfiguration(
      contentsOf: folder.appending(path: Self.schedulerPath))
    try index.check(index.autoencoderName, is: autoencoder.className)
    try index.check(DiffusionIndex.denoiserName, is: type(of: denoiser).className)
    try self.init(
      autoencoder: autoencoder, denoiser: denoiser, scheduler: scheduler, index: index)
  }

  /// A model whose parts are loaded, and what its `model_index.json` says about the whole.
  ///
  /// - Throws: ``LatentDiffusionError`` where they don't belong together.
  init(
    autoencoder: PretrainedAutoencoder, denoiser: any Denoiser, scheduler: SchedulerConfiguration,
    index: ConfigurationFields
  ) throws(LatentDiffusionError) {
    try self.init(
      autoencoder: autoencoder, denoiser: denoiser, scheduler: scheduler,
      index: DiffusionIndex(index))
  }

  private init(
    autoencoder: PretrainedAutoencoder, denoiser: any Denoiser, scheduler: SchedulerConfiguration,
    index: DiffusionIndex
  ) throws(LatentDiffusionError) {
    if let expected = index.autoencoderSHA256, expected != autoencoder.sha256 {
      throw .otherAutoencoder(
        index: index.path, name: autoencoder.name, expected: expected, found: autoencoder.sha256)
    }
    try self.init(
      autoencoder: autoencoder, denoiser: denoiser, scheduler: scheduler,
      classNames: index.classNames)
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
      Array((JSONValue.object(scheduler.json).text + "\n").utf8),
      to: folder.appending(path: Self.schedulerPath).path)
    try folders.finish()
    // Rounding changes which weights they are.
    let sha256 = scalarType == .float32 ? autoencoder.sha256 : nil
    let fields = JSONValue.object(indexFields(autoencoderSHA256: sha256))
    try folders.write(Array((fields.text + "\n").utf8), to: index.path)
    try folders.finish()
  }

  private func indexFields(autoencoderSHA256: String?) -> JSONObject {
    func part(_ className: String) -> JSONValue {
      .array([.string("diffusers"), .string(className)])
    }
    var fields: JSONObject = [
      "_class_name": .string(Self.className),
      DiffusionIndex.autoencoderNames[0]: part(autoencoder.className),
      DiffusionIndex.denoiserName: part(type(of: denoiser).className),
      DiffusionIndex.schedulerName: part(scheduler.className.rawValue),
    ]
    if let autoencoderSHA256 {
      fields[DiffusionIndex.autoencoderSHA256Key] = .string(autoencoderSHA256)
    }
    if !classNames.isEmpty {
      var names = JSONObject()
      for (label, name) in classNames.enumerated() { names["\(label)"] = .string(name) }
      fields[DiffusionIndex.classesKey] = .object(names)
    }
    return fields
  }
}

/// What a `model_index.json` says of a pipeline's parts.
private struct DiffusionIndex {
  static let autoencoderNames = ["vae", "vqvae"]
  static let denoiserName = "unet"
  static let schedulerName = "scheduler"

  /// `vae` or `vqvae`.
  let autoencoderName: String
  let path: String
  /// The hash of the autoencoder's weights that the denoiser was trained with, where it is known.
  let autoencoderSHA256: String?
  /// The names of the classes, as diffusers' `DiTPipeline` has them: from label to name.
  let classNames: [String]
  private let partClasses: [String: String]

  /// - Throws: ``LatentDiffusionError`` where a part is missing, or there are others.
  init(_ fields: ConfigurationFields) throws(LatentDiffusionError) {
    path = fields.source
    var partClasses: [String: String] = [:]
    for member in fields.values.members where !member.key.hasPrefix("_") {
      // Parts are pairs of a library and a class; `[null, null]` says that there is none.
      guard case .array(let pair) = member.value, pair.count == 2,
        case .string(let className) = pair[1]
      else { continue }
      partClasses[member.key] = className
    }
    guard let autoencoderName = Self.autoencoderNames.first(where: { partClasses[$0] != nil })
    else {
      throw .missingPart(index: path, names: Self.autoencoderNames)
    }
    for name in [Self.denoiserName, Self.schedulerName] where partClasses[name] == nil {
      throw .missingPart(index: path, names: [name])
    }
    let known = [autoencoderName, Self.denoiserName, Self.schedulerName]
    if let other = partClasses.keys.filter({ !known.contains($0) }).min() {
      throw .unknownPart(index: path, name: other, className: partClasses[other] ?? "")
    }
    self.autoencoderName = autoencoderName
    self.partClasses = partClasses
    if case .string(let sha256)? = fields.values[Self.autoencoderSHA256Key] {
      autoencoderSHA256 = sha256
    } else {
      autoencoderSHA256 = nil
    }
    self.classNames = Self.classNames(in: fields.values)
  }

  static let classesKey = "id2label"
  /// Diffusers passes over keys that begin so.
  static let autoencoderSHA256Key = "_autoencoder_sha256"

  private static func classNames(in values: JSONObject) -> [String] {
    guard case .object(let labels)? = values[classesKey] else { return [] }
    var names: [String] = []
    while case .string(let name)? = labels["\(names.count)"] { names.append(name) }
    return names
  }

  /// - Throws: ``LatentDiffusionError/otherClass(index:name:expected:found:)``.
  func check(_ name: String, is found: String) throws(LatentDiffusionError) {
    guard let expected = partClasses[name], expected != found else { return }
    throw .otherClass(index: path, name: name, expected: expected, found: found)
  }
}

/// Why an autoencoder, a denoiser and a scheduler make no model.
public enum LatentDiffusionError: Error, Hashable, Sendable {
  /// The denoiser takes latents of other channels than the autoencoder gives.
  case inputChannels(latent: Int, denoiser: Int)
  /// The denoiser's estimates have other channels than latents.
  case outputChannels(latent: Int, denoiser: Int)
  /// There are more names of classes than the denoiser knows labels.
  case classes(names: Int, labels: Int)
  /// The index lacks a part, which may have several names.
  case missingPart(index: String, names: [String])
  /// The index has a part that isn't known.
  case unknownPart(index: String, name: String, className: String)
  /// A part's own configuration is of another class than the index says.
  case otherClass(index: String, name: String, expected: String, found: String)
  /// The denoiser was trained with another autoencoder's latents.
  case otherAutoencoder(index: String, name: String, expected: String, found: String)
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
    case .classes(let names, let labels):
      "there are names for \(names) classes, and the denoiser knows \(labels) (num_class_embeds); "
        + "give the names of its own classes in id2label"
    case .missingPart(let index, let names):
      "\(index): names no \(names.joined(separator: " or ")); give the folder of a pipeline with an "
        + "autoencoder, a UNet2DModel and a scheduler"
    case .unknownPart(let index, let name, let className):
      "\(index): the pipeline has the part \(name) (\(className)), which can't be used here; only "
        + "pipelines of an autoencoder, a UNet2DModel and a scheduler can"
    case .otherClass(let index, let name, let expected, let found):
      "\(index): says that \(name) is of the class \(expected), and its own config.json says "
        + "\(found); fetch the model's files again"
    case .otherAutoencoder(let index, let name, let expected, let found):
      "\(index): the denoiser was trained on latents of an autoencoder with the weights "
        + "\(expected.prefix(12))…, and \(name) has \(found.prefix(12))…; put its own autoencoder there"
    }
  }
}
