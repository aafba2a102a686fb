import Foundation
import Images
import Layers
import Models
import Pipelines
import Tensors

/// A run of `lvae train`: data, network, checkpoints, log, samples and report in one folder.
///
/// The same call goes on where the last one ended, in whatever way that was, and ends with the same
/// weights, bit for bit.
public struct AutoencoderTrainingRun: Sendable {
  /// The path of the data set.
  public let data: String
  /// Where all results go.
  public let folder: RunFolder
  /// The settings.
  public let settings: TrainingSettings

  /// A run.
  public init(data: String, folder: RunFolder, settings: TrainingSettings) {
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
  /// - Throws: what is wrong with data, model, folder or checkpoint, before any long work; then
  ///   ``TrainingError/notFinite(step:place:)``, and errors that name a file.
  public func callAsFunction(
    with processes: ProcessGroup = .alone,
    stop: @Sendable () -> Bool = { false },
    report: @escaping @Sendable (TrainingEvent) -> Void = { _ in }
  ) throws -> TrainingEnd {
    let notice = { @Sendable (text: String) in report(.notice(text)) }
    let pictures = TrainingData(
      try TrainingData.source(
        path: data, cacheByteCount: settings.data.cacheMiB << 20, notice: notice),
      validationFraction: settings.data.validationFraction)
    let lock = try processes.isFirst ? folder.open() : nil
    defer { withExtendedLifetime(lock) {} }
    try processes.meet()
    return try run(try startingModel(), pictures, processes, stop: stop, report: report)
  }

  /// The network before its first step: the one place that knows the architectures.
  private func startingModel() throws -> any Autoencoder {
    var random = PhiloxRandomSource(seed: settings.train.seed).stream(RandomStream.parameters)
    switch try settings.model.architecture() {
    case .kl(let configuration):
      var model = AutoencoderKL(configuration)
      model.initialize(using: &random)
      return model
    case .tiny(let configuration):
      var model = AutoencoderTiny(configuration)
      model.initialize(using: &random)
      return model
    case .compact(let configuration):
      var model = AutoencoderCompact(configuration)
      model.initialize(using: &random)
      return model
    case nil:
      return try modelToTrainFurther().autoencoder
    }
  }

  private func modelToTrainFurther() throws -> PretrainedAutoencoder {
    switch settings.model {
    case .folder(let path): return try PretrainedAutoencoder(contentsOf: URL(filePath: path))
    case .builtIn(let name):
      if let model = try EmbeddedModels.load(name) { return model }
      throw ModelStoreError.unknownName(name, known: EmbeddedModels.names)
    case .preset, .architecture: preconditionFailure("\(settings.model) is a new network")
    }
  }

  /// A new network with a linear shortcut begins as the best linear autoencoder of its data.
  private func beginningLinear<Model: Autoencoder>(
    _ model: Model, _ pictures: TrainingData, report: (TrainingEvent) -> Void
  ) throws -> Model {
    guard settings.model.isNew else { return model }
    guard var compact = model as? AutoencoderCompact else { return model }
    var linear = LinearAutoencoderInitialization(for: compact.configuration)
    try linear.add(pictures.source, indices: pictures.training)
    if let kept = linear.apply(to: &compact) {
      let share = kept.formatted(.percent.precision(.fractionLength(2)))
      report(.notice("begins as the linear autoencoder, which keeps \(share) of the variance"))
    }
    return compact as? Model ?? model
  }

  private func run<Model: Autoencoder>(
    _ model: Model, _ pictures: TrainingData, _ processes: ProcessGroup, stop: () -> Bool,
    report: @escaping @Sendable (TrainingEvent) -> Void
  ) throws -> TrainingEnd {
    let session = try TrainingSession<AutoencoderWork<Model>>.opened(
      in: folder, settings: settings, architecture: try model.configurationObject(),
      processes: processes, report: report
    ) { found in
      try pictures.check(settings.data) { report(.notice($0)) }
      let model = found == nil ? try beginningLinear(model, pictures, report: report) : model
      var trainer = try AutoencoderTrainer(model, settings: settings, processes: processes)
      report(.notice(trainer.objective.text))
      if let found { try trainer.restore(found) }
      return AutoencoderWork(trainer, pictures: pictures, processes: processes)
    }
    guard var session else { return .wasFinished }
    return try session.run(stop: stop)
  }
}
