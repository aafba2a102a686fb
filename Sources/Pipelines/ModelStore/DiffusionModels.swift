import Foundation
import Models
import Schedulers
import Tensors

/// The diffusion models that a user can name: those that are part of the program, those of the
/// store, and folders.
///
/// One that is part of the program is the embedded autoencoder `NAME` and the files of
/// `Sources/CModels/NAME-denoiser`, which `Scripts/embed-denoiser` makes.
public enum DiffusionModels {
  /// The one that is meant where none is named, if it is part of the program.
  public static let defaultName = "emoji"

  private static let ending = "-denoiser/"
  private static let indexName = "model_index.json"

  /// The names of those that are part of the program.
  public static let names: [String] = EmbeddedFiles.paths.compactMap { path in
    path.hasSuffix(ending + indexName)
      ? String(path.dropLast(ending.count + indexName.count)) : nil
  }

  /// The model that a user names: a folder of the store, one of the program, or a path; without a
  /// name ``defaultName``.
  ///
  /// - Throws: ``DiffusionError/noModel``, ``ModelStoreError/unknownName(_:known:)``,
  ///   ``LatentDiffusionError``, and the errors of `Models` for files that aren't a model.
  public static func load(
    _ reference: String?, store: ModelStore = ModelStore()
  ) throws -> LatentDiffusionModel {
    guard let reference = reference ?? names.first(where: { $0 == defaultName }) else {
      throw DiffusionError.noModel
    }
    if ModelStore.isName(reference) {
      let folder = store.url(of: reference)
      if FileManager.default.fileExists(atPath: folder.appending(path: indexName).path) {
        return try LatentDiffusionModel(contentsOf: folder)
      }
    }
    if let embedded = try embedded(reference) { return embedded }
    guard FileManager.default.fileExists(atPath: reference) || reference.contains("/") else {
      throw ModelStoreError.unknownName(reference, known: names)
    }
    return try LatentDiffusionModel(contentsOf: URL(filePath: reference))
  }

  /// The model of this name that is part of the program, whatever the store has.
  ///
  /// - Throws: ``ModelStoreError/unknownName(_:known:)``; the errors of `Models`, if the program was
  ///   built with files that are no model.
  public static func builtIn(_ name: String) throws -> LatentDiffusionModel {
    guard let model = try embedded(name) else {
      throw ModelStoreError.unknownName(name, known: names)
    }
    return model
  }

  private static func embedded(_ name: String) throws -> LatentDiffusionModel? {
    func bytes(_ file: String) -> [UInt8]? { EmbeddedFiles.bytes(of: name + ending + file) }
    guard let index = bytes(indexName), let config = bytes("config.json"),
      let weights = bytes("diffusion_pytorch_model.safetensors"),
      let scheduler = bytes("scheduler_config.json"),
      let autoencoder = try EmbeddedModels.load(name)
    else { return nil }
    let source = "the program's denoiser \(name)"
    return try LatentDiffusionModel(
      autoencoder: autoencoder,
      denoiser: ImportedModel(configuration: config, safetensors: weights, source: source)
        .denoiser(),
      scheduler: SchedulerConfiguration(parsing: scheduler, source: source),
      index: ConfigurationFields(parsing: index, source: source))
  }
}
