import Images
import Layers
import Models
import Pipelines
import Tensors

/// The training of an autoencoder, as ``TrainingSession`` sees it.
struct AutoencoderWork<Model: Autoencoder>: TrainingWork {
  static var command: String { "lvae train" }

  private var trainer: AutoencoderTrainer<Model>
  private let pictures: TrainingData
  private var batches: BatchPrefetcher<Tensor>?
  private var notice: @Sendable (String) -> Void = { _ in }
  private let processes: ProcessGroup

  /// The most pictures that a validation takes: the first of them.
  private static var validatedCount: Int { 256 }

  init(
    _ trainer: AutoencoderTrainer<Model>, pictures: TrainingData, processes: ProcessGroup
  ) {
    self.trainer = trainer
    self.pictures = pictures
    self.processes = processes
  }

  var settings: TrainingSettings { trainer.settings }
  var step: Int { trainer.step }
  var checkpoint: TrainingCheckpoint { get throws { try trainer.checkpoint } }
  var weights: [Tensor] { WeightCollector(trainer.trained).tensors.map(\.tensor) }
  var hasValidation: Bool { !pictures.validation.isEmpty }
  var examplesPerStep: Int { settings.data.batchSize * settings.optimizer.accumulation }
  var samplesText: String { "pictures (above) and reconstructions (below)" }

  mutating func start(notice: @escaping @Sendable (String) -> Void) {
    self.notice = notice
    var batchSettings = settings.data.batches
    batchSettings.batchSize /= processes.count
    let loader = loader(pictures.training, batchSettings)
    batches = BatchPrefetcher(from: trainer.step * settings.optimizer.accumulation) {
      [processes] number throws(TrainingDataError) in
      try loader.batch(processes.part(ofBatch: number))
    }
  }

  mutating func makeStep() throws -> AutoencoderTrainer<Model>.Report {
    guard let batches else { preconditionFailure("a step before start") }
    return try trainer.makeStep { try batches.next() }
  }

  private func loader(
    _ indices: [Int], _ batches: BatchLoader.Settings? = nil
  ) -> BatchLoader {
    BatchLoader(
      source: pictures.source, indices: indices, settings: batches ?? settings.data.batches,
      seed: settings.train.seed, unreadableLimit: settings.data.unreadableLimit, notice: notice)
  }

  // MARK: Numbers

  func values(of reports: [AutoencoderTrainer<Model>.Report]) -> [(name: String, value: Double)] {
    let objective = ObjectiveReport(meanOf: reports.map(\.objective))
    var values = objective.values
    for (channel, kl) in klPerPosition(objective).enumerated() {
      values.append(("kl.\(channel)", kl))
    }
    values.append(("gradient_norm", mean(reports.map(\.gradientNorm))))
    let losses = reports.compactMap(\.discriminatorLoss)
    if !losses.isEmpty { values.append(("discriminator_loss", mean(losses))) }
    values.append(("learning_rate", reports[reports.count - 1].learningRate))
    if processes.count > 1 {
      values.append(("wait_ms", mean(reports.map { $0.waited.inSeconds * 1000 })))
    }
    return values
  }

  private func mean(_ numbers: [Double]) -> Double {
    numbers.reduce(0, +) / Double(numbers.count)
  }

  /// Nats a position from nats a picture.
  private func klPerPosition(_ report: ObjectiveReport) -> [Double] {
    let side = settings.data.crop / trainer.trained.model.spatialFactor
    return report.klPerChannel.map { $0 / Double(side * side) }
  }

  func show(_ report: AutoencoderTrainer<Model>.Report, in line: inout ProgressLine) {
    let objective = report.objective
    line.terms = [("loss", objective.loss)] + objective.terms.map { ($0.name, $0.contribution) }
    line.klPerChannel = klPerPosition(objective)
  }

  /// Without pictures for validation those to train with are shown.
  func validate(
    isMeasuring: Bool, isSampling: Bool
  ) throws -> (values: [(name: String, value: Double)], samples: Image?) {
    let validation = try trainer.validate(
      with: loader(hasValidation ? pictures.validation : pictures.training),
      pictureCount: isMeasuring ? Self.validatedCount : settings.train.sampleCount)
    return (
      validation.values,
      isSampling ? validation.grid(count: settings.train.sampleCount) : nil
    )
  }

  // MARK: The page

  func facts(in entries: [TrainingLog.Entry]) -> [(name: String, value: String)] {
    let (training, validation) = (pictures.training.count, pictures.validation.count)
    return [("pictures", "\(training) to train with, \(validation) to validate with")]
      + entries.fact("loss", "loss")
      + entries.fact("validation PSNR", "validation.psnr", unit: " dB")
      + entries.fact("validation SSIM", "validation.ssim")
      + entries.fact("active units", "validation.active_units")
      + entries.fact("speed", "images_per_second", unit: " images/s")
  }

  func charts(in entries: [TrainingLog.Entry]) -> [LineChart] {
    [
      entries.chart("loss", ["loss", "validation.loss"], isLogarithmic: true),
      entries.chart(
        "terms of the loss, without weights", termNames(in: entries), isLogarithmic: true),
      entries.chart("validation PSNR in decibels", ["validation.psnr"]),
      entries.chart("validation SSIM", ["validation.ssim"]),
      entries.chart(
        "KL of each channel in nats a position", entries.names { $0.hasPrefix("kl.") },
        isLogarithmic: true),
      entries.chart(
        "units of the latent whose mean varies by more than 0.01", ["validation.active_units"]),
      entries.chart("likelihood scale", ["likelihood_scale"]),
      entries.chart("discriminator's loss", ["discriminator_loss"]),
      entries.chart("codes in use, as perplexity", ["perplexity"]),
      entries.chart("length of the gradient", ["gradient_norm"], isLogarithmic: true),
      entries.chart("learning rate", ["learning_rate"]),
      entries.chart("images a second", ["images_per_second"]),
    ]
  }

  /// Terms stand in the log between `loss` and the first number that isn't one.
  private func termNames(in entries: [TrainingLog.Entry]) -> [String] {
    let others: Set = [
      "loss", "kl_weight", "gradient_norm", "learning_rate", "images_per_second", "codes_used",
      "perplexity", "adversarial_lambda", "likelihood_scale", "discriminator_loss", "wait_ms",
    ]
    return entries.names {
      !others.contains($0) && !$0.hasPrefix("kl.") && !$0.hasPrefix("validation.")
    }
  }

  // MARK: The end

  func finish(
    in folder: RunFolder, log: [TrainingLog.Entry], notice: (String) -> Void
  ) throws -> JSONObject {
    var model = trainer.averagedModel
    var result = JSONObject()
    for name in ["validation.psnr", "validation.ssim", "validation.loss"] {
      if let value = log.last(where: { $0[name] != nil })?[name], value.isFinite {
        result[name] = JSONValue(value)
      }
    }
    if keepsLatents {
      notice("the encoder was frozen: latents keep their scaling")
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
    let named = PretrainedAutoencoder(name: folder.name, autoencoder: model)
    try folder.write(named, bottleneck: trainer.trained.bottleneck)
    result["sha256"] = .string(named.sha256)
    return result
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
