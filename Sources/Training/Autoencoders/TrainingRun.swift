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
public struct TrainingRun: Sendable {
  /// What a run tells while it works.
  public enum Event: Sendable {
    /// Something that a person should know.
    case notice(String)
    /// A step was made.
    case progress(ProgressLine)
    /// Numbers were added to the log.
    case logged(TrainingLog.Entry)
  }

  /// How a run ended.
  public enum End: Hashable, Sendable {
    /// All steps were made, and the model was written.
    case finished
    /// All was done before.
    case wasFinished
    /// It was asked to stop, and wrote a checkpoint.
    case stopped(step: Int)
  }

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
  ///   - stop: whether to stop after the step in hand.
  ///   - report: called with what happens.
  /// - Returns: how it ended.
  /// - Throws: what is wrong with data, model, folder or checkpoint, before any long work; then
  ///   ``TrainingError/notFinite(step:place:)``, and errors that name a file.
  public func callAsFunction(
    stop: @Sendable () -> Bool = { false }, report: @escaping @Sendable (Event) -> Void = { _ in }
  ) throws -> End {
    let notice = { @Sendable (text: String) in report(.notice(text)) }
    let pictures = TrainingData(
      try TrainingData.source(
        path: data, cacheByteCount: settings.data.cacheMiB << 20, notice: notice),
      validationFraction: settings.data.validationFraction)
    let lock = try folder.open()
    defer { withExtendedLifetime(lock) {} }
    return try run(try startingModel(), pictures, stop: stop, report: report)
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
      guard case .folder(let path) = settings.model else {
        preconditionFailure("\(settings.model) has no architecture")
      }
      return try PretrainedAutoencoder(contentsOf: URL(filePath: path)).autoencoder
    }
  }

  /// A new network with a linear shortcut begins as the best linear autoencoder of its data.
  private func beginningLinear<Model: Autoencoder>(
    _ model: Model, _ pictures: TrainingData, report: (Event) -> Void
  ) throws -> Model {
    if case .folder = settings.model { return model }
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
    _ model: Model, _ pictures: TrainingData, stop: () -> Bool,
    report: @escaping @Sendable (Event) -> Void
  ) throws -> End {
    let checkpoints = folder.checkpoints(keeping: settings.train.keepCheckpoints)
    let found = try checkpoints.newest(
      settings: settings, architecture: try model.configurationObject()
    ) { report(.notice($0)) }
    if let result = folder.result(), found?.step == settings.train.steps,
      result["step"] == JSONValue(settings.train.steps)
    {
      return .wasFinished
    }
    try pictures.check(settings.data) { report(.notice($0)) }
    let model = found == nil ? try beginningLinear(model, pictures, report: report) : model
    var trainer = try AutoencoderTrainer(model, settings: settings)
    report(.notice(trainer.objective.text))
    if let found {
      try trainer.restore(found)
      report(.notice("going on after step \(found.step)"))
    }
    // What can't be written now couldn't be written after hours, either.
    try AtomicFile.write(Array(settings.text.utf8), to: folder.settingsPath)
    let log = try TrainingLog(path: folder.logPath, resumingAfter: trainer.step)
    var session = TrainingSession(
      trainer: trainer, pictures: pictures, folder: folder, checkpoints: checkpoints, log: log,
      report: report)
    return try session.run(stop: stop)
  }
}
