import Foundation
import Images
import Layers
import Models
import Pipelines
import Tensors

/// The loop of a ``TrainingRun``: steps, and what is written between them.
struct TrainingSession<Model: Autoencoder> {
  private var trainer: AutoencoderTrainer<Model>
  private let pictures: TrainingData
  private let folder: RunFolder
  private let checkpoints: CheckpointFolder
  private var log: TrainingLog
  private let report: @Sendable (TrainingRun.Event) -> Void
  private var window = LogWindow()
  private var samples: TrainingReport.Picture?
  private var lastPage = ContinuousClock.now

  private var settings: TrainingSettings { trainer.settings }
  private var stepCount: Int { settings.train.steps }

  /// The most pictures that a validation takes: the first of them.
  private static var validatedCount: Int { 256 }
  private static var pageInterval: Duration { .seconds(5) }

  init(
    trainer: AutoencoderTrainer<Model>, pictures: TrainingData, folder: RunFolder,
    checkpoints: CheckpointFolder, log: TrainingLog,
    report: @escaping @Sendable (TrainingRun.Event) -> Void
  ) {
    self.trainer = trainer
    self.pictures = pictures
    self.folder = folder
    self.checkpoints = checkpoints
    self.log = log
    self.report = report
  }

  /// Makes the steps that are left, and then the model.
  mutating func run(stop: () -> Bool) throws -> TrainingRun.End {
    if trainer.step < stepCount {
      let batches = BatchPrefetcher(
        loader(pictures.training), from: trainer.step * settings.optimizer.accumulation)
      window.start(at: trainer.step)
      while trainer.step < stepCount {
        if stop() {
          try saveCheckpoint()
          try writePage(isOver: true)
          return .stopped(step: trainer.step)
        }
        window.add(try trainer.makeStep { try batches.next() })
        report(
          .progress(window.line(at: trainer.step, of: stepCount, settings, trainer.trained.model)))
        try writeWhatIsDue()
      }
    }
    try finish()
    return .finished
  }

  private func loader(_ indices: [Int]) -> BatchLoader {
    let report = report
    return BatchLoader(
      source: pictures.source, indices: indices, settings: settings.data.batches,
      seed: settings.train.seed, unreadableLimit: settings.data.unreadableLimit
    ) { report(.notice($0)) }
  }

  // MARK: Between steps

  private func isDue(every interval: Int) -> Bool {
    interval > 0 && (trainer.step % interval == 0 || trainer.step == stepCount)
  }

  private mutating func writeWhatIsDue() throws {
    if isDue(every: settings.train.logEvery) {
      try add(window.values(at: trainer.step, settings, trainer.trained.model))
      window.start(at: trainer.step)
      if ContinuousClock.now - lastPage > Self.pageInterval { try writePage() }
    }
    let isSampling = isDue(every: settings.train.sampleEvery)
    if isSampling || isDue(every: settings.train.validateEvery) {
      try validate(isSampling: isSampling)
      try writePage()
      window.pause()
    }
    if isDue(every: settings.train.checkpointEvery) {
      try saveCheckpoint()
      window.pause()
    }
  }

  private mutating func add(_ values: [(name: String, value: Double)]) throws {
    let entry = TrainingLog.Entry(step: trainer.step, values: values)
    try log.append(entry)
    report(.logged(entry))
  }

  /// Without pictures for validation those to train with are shown, and nothing is logged.
  private mutating func validate(isSampling: Bool) throws {
    let isMeasuring = !pictures.validation.isEmpty && isDue(every: settings.train.validateEvery)
    let shown = pictures.validation.isEmpty ? pictures.training : pictures.validation
    let validation = try trainer.validate(
      with: loader(shown),
      pictureCount: isMeasuring ? Self.validatedCount : settings.train.sampleCount)
    if isMeasuring { try add(validation.values) }
    guard isSampling, let grid = validation.grid(count: settings.train.sampleCount) else { return }
    let digits = String(trainer.step)
    let number = String(repeating: "0", count: max(0, 9 - digits.count)) + digits
    try AtomicFile.write(
      try grid.encoded(as: .png()), to: "\(folder.samplesPath)/step-\(number).png")
    samples = TrainingReport.Picture(
      caption: "step \(trainer.step): pictures (above) and reconstructions (below)", image: grid)
  }

  private func saveCheckpoint() throws {
    try checkpoints.save(try trainer.checkpoint)
  }

  private mutating func writePage(isOver: Bool = false) throws {
    lastPage = .now
    let page = RunPage(
      title: folder.name, settings: settings, step: trainer.step,
      entries: log.entries, samples: samples ?? lastSamples(),
      trainingCount: pictures.training.count,
      validationCount: pictures.validation.count, isOver: isOver)
    try page.report.write(to: folder.reportPath)
  }

  /// The samples that a run wrote before it was stopped.
  private func lastSamples() -> TrainingReport.Picture? {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.samplesPath)) ?? []
    guard let name = names.filter({ $0.hasPrefix("step-") }).max(),
      let image = try? Image(
        contentsOf: URL(filePath: "\(folder.samplesPath)/\(name)"))
    else { return nil }
    return TrainingReport.Picture(caption: name, image: image)
  }

  // MARK: The end

  private mutating func finish() throws {
    if !checkpoints.steps.contains(trainer.step) { try saveCheckpoint() }
    var model = trainer.averagedModel
    var result = JSONObject()
    result["step"] = JSONValue(trainer.step)
    for name in ["validation.psnr", "validation.ssim", "validation.loss"] {
      if let value = log.entries.last(where: { $0[name] != nil })?[name], value.isFinite {
        result[name] = JSONValue(value)
      }
    }
    if keepsLatents {
      report(.notice("the encoder was frozen: latents keep their scaling"))
    } else {
      let statistics = try latentStatistics(of: model)
      model.latentScaling = statistics.scaling
      result["latents"] = .object([
        "pictures": JSONValue(pictures.training.count + pictures.validation.count),
        "mean": .array(statistics.channels.map { JSONValue($0.mean) }),
        "std": .array(statistics.channels.map { JSONValue($0.standardDeviation) }),
        "kl": .array(statistics.channels.map { JSONValue($0.divergence) }),
        "active_units": JSONValue(statistics.activeUnits()),
        "units": JSONValue(statistics.unitCount),
      ])
    }
    try folder.finish(model, bottleneck: trainer.trained.bottleneck, result: result)
    try writePage(isOver: true)
  }

  /// Whether no parameter before the latent has moved.
  private var keepsLatents: Bool {
    WeightCollector(trainer.trained.model).tensors.allSatisfy { name, _ in
      name.hasPrefix("decoder.") || name.hasPrefix("post_quant_conv.")
        || settings.train.isFrozen(ParameterPath(name))
    }
  }

  /// Over the middles of all pictures, those for validation too.
  private func latentStatistics(of model: Model) throws -> LatentStatistics {
    let all = (pictures.training + pictures.validation).sorted()
    let loader = loader(all)
    var statistics = LatentStatistics()
    for start in stride(from: 0, to: all.count, by: settings.data.batchSize) {
      let range = start..<min(all.count, start + settings.data.batchSize)
      statistics.add(model.encode(try loader.centers(range)))
    }
    return statistics
  }
}
