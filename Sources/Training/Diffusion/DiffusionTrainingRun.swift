import Foundation
import LatentFiles
import Layers
import Models
import Pipelines
import Tensors

/// A run of `lvae diffuse-train`: latents, denoiser, checkpoints, log, samples and report in one
/// folder; see ``AutoencoderTrainingRun``.
public struct DiffusionTrainingRun: Sendable {
  /// The folders and shards of the latents.
  public let data: [String]
  /// Where all results go.
  public let folder: RunFolder
  /// The settings.
  public let settings: DiffusionSettings

  /// A run.
  public init(data: [String], folder: RunFolder, settings: DiffusionSettings) {
    self.data = data
    self.folder = folder
    self.settings = settings
  }

  /// Trains.
  ///
  /// - Parameters:
  ///   - processes: those that train together, in one folder that all can read.
  ///   - stop: whether to stop after the step in hand.
  ///   - report: called with what happens.
  /// - Returns: how it ended.
  /// - Throws: what is wrong with latents, model, folder or checkpoint, before any long work; then
  ///   ``TrainingError/notFinite(step:place:)``, and errors that name a file.
  public func callAsFunction(
    with processes: ProcessGroup = .alone,
    stop: @Sendable () -> Bool = { false },
    report: @escaping @Sendable (TrainingEvent) -> Void = { _ in }
  ) throws -> TrainingEnd {
    let latents = try LatentSet(
      paths: data, labels: settings.data.labels, cacheByteCount: settings.data.cacheMiB << 20)
    let autoencoder = try autoencoder(of: latents)
    let lock = try processes.isFirst ? folder.open() : nil
    defer { withExtendedLifetime(lock) {} }
    try processes.meet()
    report(.notice(latents.text))
    let (model, labelled) = try start(latents)
    return try run(model, labelled, autoencoder, processes, stop: stop, report: report)
  }

  /// The autoencoder that made the latents, for the pictures of samples.
  private func autoencoder(of latents: LatentSet) throws -> PretrainedAutoencoder {
    let store = ModelStore()
    let found: PretrainedAutoencoder
    if settings.autoencoder.isEmpty {
      guard let model = try store.load(for: latents.model) else {
        throw ModelStoreError.modelOfFileNotFound(latents.model)
      }
      found = model
    } else {
      found = try store.load(settings.autoencoder)
    }
    guard found.sha256 == latents.model.sha256 else {
      throw CodecError.otherModel(wanted: latents.model, given: found.latentModel)
    }
    // The weights are the same, but what the denoiser learns wouldn't be what is decoded.
    guard found.autoencoder.latentScaling == latents.scaling else {
      throw TrainingError.otherScaling(autoencoder: found.name)
    }
    return found
  }

  /// The denoiser before its first step, and the latents with its labels.
  private func start(_ latents: LatentSet) throws -> (any Denoiser, LatentSet) {
    let model: LatentDiffusionModel
    let name: String
    switch settings.model {
    case .preset, .architecture: return (try newModel(latents), latents)
    case .folder(let path):
      model = try LatentDiffusionModel(contentsOf: URL(filePath: path))
      name = path
    case .builtIn(let builtIn):
      model = try DiffusionModels.builtIn(builtIn)
      name = DenoiserChoice.builtInPrefix + builtIn
    }
    return (model.denoiser, try settings.labelled(latents, for: model, path: name))
  }

  private func newModel(_ latents: LatentSet) throws -> UNet2DModel {
    let classes = latents.classNames.count
    // One label more, for no class.
    let labelCount = classes == 0 ? nil : classes + (settings.objective.labelDropout > 0 ? 1 : 0)
    let size = [latents.height, latents.width]
    guard
      let configuration = try settings.model.architecture(
        channels: latents.channels, size: size, labelCount: labelCount)
    else { preconditionFailure("\(settings.model) has no architecture") }
    var random = PhiloxRandomSource(seed: settings.train.seed).stream(RandomStream.parameters)
    var model = UNet2DModel(configuration)
    guard size.allSatisfy({ $0 % model.spatialFactor == 0 }) else {
      throw TrainingError.latentsDoNotFit(size: size, factor: model.spatialFactor)
    }
    model.initialize(using: &random)
    return model
  }

  private func run<Model: Denoiser>(
    _ model: Model, _ latents: LatentSet, _ autoencoder: PretrainedAutoencoder,
    _ processes: ProcessGroup, stop: () -> Bool, report: @escaping @Sendable (TrainingEvent) -> Void
  ) throws -> TrainingEnd {
    let session = try TrainingSession<DiffusionWork<Model>>.opened(
      in: folder, settings: settings, architecture: try model.configurationObject(),
      processes: processes, report: report
    ) { found in
      var trainer = try DiffusionTrainer(
        model, settings: settings,
        nullLabel: latents.classNames.isEmpty || settings.objective.labelDropout == 0
          ? nil : latents.classNames.count, processes: processes)
      if let found { try trainer.restore(found) }
      return DiffusionWork(
        trainer, latents: latents, autoencoder: autoencoder, processes: processes)
    }
    guard var session else { return .wasFinished }
    return try session.run(stop: stop)
  }
}

extension LatentSet {
  /// What is trained with, for people.
  var text: String {
    let size = "\(channels)×\(height)×\(width)"
    guard let labels else { return "\(count) latents of \(size), without classes" }
    let counts = classNames.indices.map { label in labels.count { $0 == label } }
    let classes = zip(classNames, counts).map { "\($0) \($1)" }
    return "\(count) latents of \(size) in \(classNames.count) classes: "
      + classes.joined(separator: ", ")
  }
}
