import Images
import Layers
import Models
import Pipelines
import Schedulers
import Tensors

/// The training of a denoiser, as ``TrainingSession`` sees it.
struct DiffusionWork<Model: Denoiser>: TrainingWork {
  static var command: String { "lvae diffuse-train" }

  private var trainer: DiffusionTrainer<Model>
  private let latents: LatentSet
  private let sides: (training: [Int], validation: [Int])
  private let autoencoder: PretrainedAutoencoder
  private let processes: ProcessGroup
  private var batches: BatchPrefetcher<LatentBatch>?

  /// The most latents that a validation takes.
  private static var validatedCount: Int { 256 }

  init(
    _ trainer: DiffusionTrainer<Model>, latents: LatentSet, autoencoder: PretrainedAutoencoder,
    processes: ProcessGroup
  ) {
    self.trainer = trainer
    self.latents = latents
    self.autoencoder = autoencoder
    self.processes = processes
    sides = ValidationSplit.sides(
      of: latents.names, fraction: trainer.settings.data.validationFraction)
  }

  var settings: DiffusionSettings { trainer.settings }
  var step: Int { trainer.step }
  var checkpoint: TrainingCheckpoint { get throws { try trainer.checkpoint } }
  var weights: [Tensor] { WeightCollector(trainer.model).tensors.map(\.tensor) }
  var hasValidation: Bool { !sides.validation.isEmpty }
  var examplesPerStep: Int { settings.data.batchSize * settings.optimizer.accumulation }

  /// The latents to validate with, from all over the data set: classes lie one behind the other.
  private var validated: [Int] {
    let count = min(Self.validatedCount, sides.validation.count)
    return (0..<count).map { sides.validation[$0 * sides.validation.count / count] }
  }

  mutating func start(notice: @escaping @Sendable (String) -> Void) {
    let loader = loader(sides.training, batchSize: settings.data.batchSize / processes.count)
    batches = BatchPrefetcher(from: trainer.step * settings.optimizer.accumulation) {
      [processes] number throws(TrainingDataError) in
      try loader.batch(processes.part(ofBatch: number))
    }
  }

  private func loader(_ indices: [Int], batchSize: Int? = nil) -> LatentLoader {
    LatentLoader(
      latents, indices: indices, batchSize: batchSize ?? settings.data.batchSize,
      draws: settings.data.draws,
      balance: settings.data.balance, seed: settings.train.seed)
  }

  mutating func makeStep() throws -> DiffusionTrainer<Model>.Report {
    guard let batches else { preconditionFailure("a step before start") }
    return try trainer.makeStep { try batches.next() }
  }

  // MARK: Numbers

  func values(of reports: [DiffusionTrainer<Model>.Report]) -> [(name: String, value: Double)] {
    func mean(_ value: (DiffusionTrainer<Model>.Report) -> Double) -> Double {
      reports.reduce(0) { $0 + value($1) } / Double(reports.count)
    }
    return [
      ("loss", mean(\.loss)), ("mse", mean(\.meanSquareError)),
      ("gradient_norm", mean(\.gradientNorm)),
      ("learning_rate", reports[reports.count - 1].learningRate),
    ] + (processes.count > 1 ? [("wait_ms", mean { $0.waited.inSeconds * 1000 })] : [])
  }

  func show(_ report: DiffusionTrainer<Model>.Report, in line: inout ProgressLine) {
    line.terms = [("loss", report.loss), ("mse", report.meanSquareError)]
  }

  func validate(
    isMeasuring: Bool, isSampling: Bool
  ) throws -> (values: [(name: String, value: Double)], samples: Image?) {
    var values: [(name: String, value: Double)] = []
    if isMeasuring {
      let (mean, quarters) = try trainer.validate(
        with: loader(validated), count: validated.count)
      values.append(("validation.mse", mean))
      for case (let index, let error?) in quarters.enumerated() {
        values.append(("validation.mse.\(index + 1)", error))
      }
    }
    return (values, isSampling ? try samples() : nil)
  }

  /// Pictures from the averaged denoiser, with the same noise each time, and the classes in turn.
  private func samples() throws -> Image {
    let model = try diffusionModel()
    let count = settings.train.sampleCount
    let classes = model.classNames
    let options = DiffusionOptions(
      scheduler: settings.sampling.scheduler, stepCount: settings.sampling.steps,
      guidance: settings.sampling.guidance, seed: settings.train.seed,
      size: (latents.height, latents.width))
    let pictures = try DiffusionPipeline(model, options: options)
      .pictures(count: count, labels: model.labelsInTurn(count: count))
    let columns = classes.isEmpty ? 8 : classes.count <= 12 ? classes.count : 8
    return ImageGrid(columnCount: min(columns, count)).image(of: pictures)
  }

  var samplesText: String {
    latents.classNames.isEmpty
      ? "pictures from noise"
      : "pictures from noise, in turn \(latents.classNames.joined(separator: ", "))"
  }

  /// What the run would deliver now.
  private func diffusionModel() throws -> LatentDiffusionModel {
    let configuration = try settings.sampling.scheduler.configuration(
      forModelTrainedWith: settings.noise.scheduler)
    return try LatentDiffusionModel(
      autoencoder: autoencoder, denoiser: trainer.averagedModel,
      scheduler: configuration, classNames: latents.classNames)
  }

  // MARK: The page

  func facts(in entries: [TrainingLog.Entry]) -> [(name: String, value: String)] {
    [
      (
        "latents",
        "\(sides.training.count) to train with, \(sides.validation.count) to validate with"
      )
    ]
      + (latents.classNames.isEmpty
        ? [] : [("classes", latents.classNames.joined(separator: ", "))])
      + entries.fact("loss", "loss") + entries.fact("validation error", "validation.mse")
      + entries.fact("speed", "images_per_second", unit: " latents/s")
  }

  func charts(in entries: [TrainingLog.Entry]) -> [LineChart] {
    [
      entries.chart("loss", ["loss"], isLogarithmic: true),
      entries.chart(
        "mean square error of the estimate", ["mse", "validation.mse"], isLogarithmic: true),
      entries.chart(
        "validation error in each quarter of the process, from little noise to much",
        entries.names { $0.hasPrefix("validation.mse.") }, isLogarithmic: true),
      entries.chart("length of the gradient", ["gradient_norm"], isLogarithmic: true),
      entries.chart("learning rate", ["learning_rate"]),
      entries.chart("latents a second", ["images_per_second"]),
    ]
  }

  // MARK: The end

  func finish(
    in folder: RunFolder, log: [TrainingLog.Entry], notice: (String) -> Void
  ) throws -> JSONObject {
    try folder.write(try diffusionModel())
    var result = JSONObject()
    if let value = log.last(where: { $0["validation.mse"] != nil })?["validation.mse"],
      value.isFinite
    {
      result["validation.mse"] = JSONValue(value)
    }
    result["autoencoder"] = .string(autoencoder.sha256)
    return result
  }
}
