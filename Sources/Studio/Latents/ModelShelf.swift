import Foundation
import Images
import LatentFiles
import Models
import Pipelines
import Synchronization
import Tensors

/// The models that requests may name, each loaded once, when it is first needed.
///
/// These are the program's own, those of the user's store, and those named on the command line:
/// never a path from a request.
final class ModelShelf: Sendable {
  private struct Loaded {
    var codecs: [String: LatentCodec] = [:]
    var diffusion: [String: LatentDiffusionModel] = [:]
    var previews: [String: LatentPreview] = [:]
    var covariances: [String: ChannelCovariance] = [:]
    var order: [String] = []
  }

  private let store: ModelStore
  private let given: [String: LatentDiffusionModel]
  private let loaded = Mutex(Loaded())
  /// What the command line calls its models, by their names.
  let references: [String: String]
  /// The autoencoder that is meant where none is named.
  let defaultName: String
  /// The diffusion model that is meant where none is named; nil if there is none.
  let defaultDiffusionName: String?
  /// Autoencoders of the store stay loaded up to this many.
  private static let loadedLimit = 6

  /// The models, with those of the command line: names, folders or files.
  ///
  /// - Throws: the errors of loading, for what the command line names.
  init(_ references: [String], store: ModelStore = ModelStore()) throws {
    self.store = store
    var codecs: [String: LatentCodec] = [:]
    var diffusion: [String: LatentDiffusionModel] = [:]
    var nameOf: [String: String] = [:]
    var first: String?
    var firstDiffusion: String?
    for reference in references {
      let index = URL(filePath: reference).appending(path: "model_index.json")
      let name: String
      if FileManager.default.fileExists(atPath: index.path) {
        let model = try DiffusionModels.load(reference)
        name = model.autoencoder.name
        diffusion[name] = model
        codecs[name] = LatentCodec(model.autoencoder)
        firstDiffusion = firstDiffusion ?? name
      } else {
        let model = try store.load(reference)
        name = model.name
        codecs[name] = LatentCodec(model)
      }
      nameOf[reference] = name
      first = first ?? name
    }
    given = diffusion
    self.references = references.reduce(into: [:]) { names, reference in
      if let name = nameOf[reference] { names[name] = reference }
    }
    defaultName = first ?? EmbeddedModels.defaultName
    defaultDiffusionName =
      firstDiffusion
      ?? (DiffusionModels.names.contains(DiffusionModels.defaultName)
        ? DiffusionModels.defaultName : DiffusionModels.names.first)
    let loadedCodecs = codecs
    loaded.withLock { $0.codecs = loadedCodecs }
    keptNames = Set(codecs.keys)
  }

  /// Named on the command line: these stay loaded.
  private let keptNames: Set<String>

  // MARK: Names

  /// What is known of the autoencoders, without loading them.
  var entries: [ModelStore.Entry] {
    let kept = loaded.withLock { loaded in
      keptNames.sorted().compactMap { loaded.codecs[$0]?.model }
    }
    var entries = kept.map { ModelStore.Entry($0, source: "command line") }
    for entry in EmbeddedModels.entries + store.entries()
    where !entries.contains(where: { $0.name == entry.name }) {
      entries.append(entry)
    }
    return entries
  }

  /// The names of the diffusion models.
  var diffusionNames: [String] {
    given.keys.sorted() + DiffusionModels.names.filter { given[$0] == nil }
  }

  // MARK: Loading, on a thread that computes

  /// The codec of an autoencoder.
  ///
  /// - Throws: `ModelStoreError` for a name that isn't known, and the errors of loading.
  func codec(named name: String?) throws -> LatentCodec {
    let name = name ?? defaultName
    if let known = known(name) { return known }
    let names = entries.map(\.name)
    guard names.contains(name) else {
      throw Problem.notFound("there is no model \(name.quotedBriefly)")
    }
    return keep(LatentCodec(try store.load(name)), as: name)
  }

  /// The codec of the autoencoder that a file was made with.
  ///
  /// - Throws: `ModelStoreError.modelOfFileNotFound(_:)`, and the errors of loading.
  func codec(for wanted: LatentModel) throws -> LatentCodec {
    let known = loaded.withLock { loaded in
      loaded.codecs.values.first { $0.model.sha256 == wanted.sha256 }
    }
    if let known { return known }
    guard let entry = entries.first(where: { $0.sha256 == wanted.sha256 }) else {
      throw ModelStoreError.modelOfFileNotFound(wanted)
    }
    return try codec(named: entry.name)
  }

  private func known(_ name: String) -> LatentCodec? {
    loaded.withLock { loaded in
      if let place = loaded.order.firstIndex(of: name) {
        loaded.order.append(loaded.order.remove(at: place))
      }
      return loaded.codecs[name]
    }
  }

  private func keep(_ codec: LatentCodec, as name: String) -> LatentCodec {
    loaded.withLock { loaded in
      loaded.codecs[name] = codec
      loaded.order.append(name)
      if loaded.order.count > Self.loadedLimit {
        loaded.codecs[loaded.order.removeFirst()] = nil
      }
      return codec
    }
  }

  /// A diffusion model.
  ///
  /// - Throws: ``Problem`` 404 for a name that isn't known, and the errors of loading.
  func diffusionModel(named name: String?) throws -> LatentDiffusionModel {
    guard let name = name ?? defaultDiffusionName else { throw DiffusionError.noModel }
    if let model = given[name] ?? loaded.withLock({ $0.diffusion[name] }) { return model }
    guard diffusionNames.contains(name) else {
      throw Problem.notFound("there is no diffusion model \(name.quotedBriefly)")
    }
    let model = try DiffusionModels.load(name, store: store)
    loaded.withLock { $0.diffusion[name] = model }
    return model
  }

  // MARK: What is measured on the sample pictures

  /// The projection of a model's latents to colours that fits the sample pictures best.
  func preview(of codec: LatentCodec) throws -> LatentPreview {
    if let known = loaded.withLock({ $0.previews[codec.model.sha256] }) { return known }
    let factor = codec.model.autoencoder.spatialFactor
    let tiles = try SamplePicture.all.map { sample in
      try sample.image().flattened(red: 255, green: 255, blue: 255).eightBit()
        .converted(to: .rgb).croppedToMiddle(shapedAs: 1, 1).resized(width: 96, height: 96)
    }
    let sheet = ImageGrid(columnCount: 3, padding: 0).image(of: tiles)
    let side = 96 * 3 / factor * factor
    let height = sheet.height / factor * factor
    let picture = sheet.cropped(x: 0, y: 0, width: side, height: height)
    let preview = LatentPreview(
      fitting: try codec.latents(of: picture), to: picture.tensor())
    loaded.withLock { $0.previews[codec.model.sha256] = preview }
    return preview
  }

  /// How the latents of the sample pictures vary.
  func covariance(of codec: LatentCodec) throws -> ChannelCovariance {
    if let known = loaded.withLock({ $0.covariances[codec.model.sha256] }) { return known }
    var covariance = ChannelCovariance(channelCount: codec.model.autoencoder.latentChannels)
    for sample in SamplePicture.all { covariance.add(try codec.latents(of: sample.image())) }
    let measured = covariance
    loaded.withLock { $0.covariances[codec.model.sha256] = measured }
    return measured
  }
}
