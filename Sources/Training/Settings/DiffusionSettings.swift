public import Schedulers
public import Tensors

/// The settings of a run that trains a denoiser; see ``RunConfiguration``.
public struct DiffusionSettings: RunConfiguration {
  /// `model`: what is trained.
  public var model = DenoiserChoice.preset(.small)
  /// `autoencoder`: the name or path of that which made the latents; empty to look for it among
  /// those of `lvae models list`.
  public var autoencoder = ""
  /// `data`: what it is trained with.
  public var data = LatentDataSettings()
  /// `noise`: the process that is undone.
  public var noise = NoiseSettings()
  /// `objective`: what is made small.
  public var objective = DenoisingSettings()
  /// `sampling`: how pictures are drawn while it trains.
  public var sampling = SamplingSettings()
  /// `optimizer`: how.
  public var optimizer = OptimizerSettings()
  /// `train`: how long, and what is kept of the run.
  public var train = RunSettings()

  /// The defaults.
  public init() {
    optimizer.learningRate = 1e-3
    optimizer.beta2 = 0.99
    optimizer.warmUpSteps = 200
    train.sampleCount = 24
  }

  /// All settings as a JSON object.
  public var values: JSONObject { SettingsFields.written(self) }

  /// Replaces the settings that a JSON object has.
  ///
  /// - Throws: ``TrainingSettingsError``.
  public mutating func read(_ values: JSONObject, source: String) throws(TrainingSettingsError) {
    _ = try SettingsFields.read(&self, from: values, source: source)
  }

  /// Settings that a run may change when it goes on.
  public static var changeable: Set<String> {
    RunSettings.changeable.union([
      "data.cache_mib", "autoencoder", "sampling.scheduler", "sampling.steps", "sampling.guidance",
    ])
  }
}

extension DiffusionSettings: SettingsGroup {
  mutating func visit(_ fields: inout SettingsFields) throws(TrainingSettingsError) {
    try model.visit("model", &fields)
    try fields.string("autoencoder", &autoencoder)
    try fields.group("data", &data)
    try fields.group("noise", &noise)
    try fields.group("objective", &objective)
    try fields.group("sampling", &sampling)
    try fields.group("optimizer", &optimizer)
    var run = DenoiserRun(settings: train)
    try fields.group("train", &run)
    train = run.settings
    try fields.refuse(
      "noise.prediction", if: noise.prediction == .epsilon && noise.zeroTerminalSNR,
      "epsilon says nothing where no signal is left; set it to v_prediction, or "
        + "noise.zero_terminal_snr to false")
    if let problem = fields.isWriting ? nil : sampling.problem(with: noise) {
      try fields.refuse("sampling", if: true, problem)
    }
  }
}

/// What a denoiser's run shares with an autoencoder's.
private struct DenoiserRun: SettingsGroup {
  var settings: RunSettings

  mutating func visit(_ fields: inout SettingsFields) throws(TrainingSettingsError) {
    try settings.visitShared(&fields)
  }
}

/// `data`: how batches of latents are made.
public struct LatentDataSettings: Hashable, Sendable {
  /// `batch_size`: latents in a batch.
  public var batchSize = 64
  /// `labels`: `folders`, `none`, or the path of a CSV file.
  public var labels = LatentSet.Labels.folders
  /// `balance`: how far small classes come more often than they are large, 0…1.
  public var balance = 0.0
  /// `draws`: whether latents are drawn from their distributions, where these are stored.
  public var draws = true
  /// `validation_fraction`: the part of the latents that is kept for validation.
  public var validationFraction = 0.05
  /// `cache_mib`: how much memory latents may take, in MiB.
  public var cacheMiB = 1024

  /// The defaults.
  public init() {}
}

extension LatentDataSettings: SettingsGroup {
  mutating func visit(_ fields: inout SettingsFields) throws(TrainingSettingsError) {
    try fields.integer("batch_size", &batchSize, in: 1...65536)
    try fields.field(
      "labels", &labels, expected: "\"folders\", \"none\", or the path of a CSV file",
      decode: { $0.string.flatMap { LatentSet.Labels($0) } }, encode: { .string($0.text) })
    try fields.number("balance", &balance, .between(0, 1))
    try fields.boolean("draws", &draws)
    try fields.number("validation_fraction", &validationFraction, .between(0, 0.9))
    try fields.integer("cache_mib", &cacheMiB, in: 0...1 << 24)
  }
}

extension LatentSet.Labels {
  /// From `folders`, `none` or the name of a CSV file; nil for anything else.
  public init?(_ text: String) {
    switch text {
    case "none": self = .none
    case "folders": self = .folders
    default:
      guard text.hasSuffix(".csv") else { return nil }
      self = .file(text)
    }
  }

  /// As ``init(_:)`` reads it.
  public var text: String {
    switch self {
    case .none: "none"
    case .folders: "folders"
    case .file(let path): path
    }
  }
}

/// `noise`: the diffusion process.
public struct NoiseSettings: Hashable, Sendable {
  /// `schedule`: how β grows; nothing to a model that predicts a flow.
  public var schedule = BetaSchedule.cosine
  /// `timesteps`: how many there are.
  public var timesteps = 1000
  /// `beta_start`: β of the first.
  public var betaStart = 1e-4
  /// `beta_end`: β of the last.
  public var betaEnd = 0.02
  /// `zero_terminal_snr`: whether β is stretched so that nothing is left of the signal at last.
  public var zeroTerminalSNR = false
  /// `prediction`: what the denoiser says.
  public var prediction = PredictionType.velocity

  /// The defaults.
  public init() {}

  /// The settings of a scheduler for models that are trained so.
  public var scheduler: SchedulerConfiguration {
    guard prediction != .flow else {
      var configuration = SchedulerConfiguration(.flowMatchEuler)
      configuration.numTrainTimesteps = timesteps
      return configuration
    }
    var configuration = SchedulerConfiguration(.dpmSolverMultistep)
    configuration.numTrainTimesteps = timesteps
    configuration.betaSchedule = schedule
    configuration.betaStart = betaStart
    configuration.betaEnd = betaEnd
    configuration.rescaleBetasZeroSNR = zeroTerminalSNR
    configuration.predictionType = prediction
    configuration.timestepSpacing = .trailing
    return configuration
  }
}

extension NoiseSettings: SettingsGroup {
  mutating func visit(_ fields: inout SettingsFields) throws(TrainingSettingsError) {
    try fields.choice("schedule", &schedule)
    try fields.integer("timesteps", &timesteps, in: 2...100_000)
    // Below 2⁻²⁴ the first timestep has no noise in float32, and its error no weight.
    try fields.number("beta_start", &betaStart, .between(1e-7, 0.999))
    try fields.number("beta_end", &betaEnd, .between(1e-7, 0.999))
    try fields.boolean("zero_terminal_snr", &zeroTerminalSNR)
    try fields.choice("prediction", &prediction)
    let scheduler = scheduler
    var problem: String?
    do throws(SchedulerError) { _ = try scheduler.scheduler() } catch { problem = "\(error)" }
    try fields.refuse("schedule", if: problem != nil, problem ?? "")
  }
}

/// `objective`: how errors count.
public struct DenoisingSettings: Hashable, Sendable {
  /// How errors at a noise level are weighed.
  public enum Weighting: String, CaseIterable, Hashable, Sendable {
    /// All alike.
    case none
    /// By the signal-to-noise ratio, which is cut off.
    case minSNR = "min_snr"
    /// As the square error of what Karras' denoiser gives.
    case edm
  }

  /// `weighting`: how errors at a noise level are weighed.
  public var weighting = Weighting.minSNR
  /// `min_snr_gamma`: γ of min_snr.
  public var minSNRGamma = 5.0
  /// `edm_sigma_data`: the deviation of the data for edm.
  public var edmSigmaData = 1.0
  /// `label_dropout`: how often the class is withheld, for guidance; 0 for never.
  public var labelDropout = 0.1

  /// The defaults.
  public init() {}

  /// The weight of a level's mean square error.
  func weight(at level: NoiseLevel, of prediction: PredictionType) -> Double {
    switch weighting {
    case .none: 1
    case .minSNR: prediction.minSNRWeight(at: level, gamma: minSNRGamma)
    case .edm:
      EDMPreconditioning(sigmaData: edmSigmaData).weight(of: prediction, at: level)
    }
  }
}

extension DenoisingSettings: SettingsGroup {
  mutating func visit(_ fields: inout SettingsFields) throws(TrainingSettingsError) {
    try fields.choice("weighting", &weighting)
    try fields.number("min_snr_gamma", &minSNRGamma, .above(0))
    try fields.number("edm_sigma_data", &edmSigmaData, .above(0))
    try fields.number("label_dropout", &labelDropout, .fraction)
  }
}

/// `sampling`: how pictures are drawn, and what the model's users get by default.
public struct SamplingSettings: Hashable, Sendable {
  /// `scheduler`: which way from noise to picture.
  public var scheduler = SchedulerName.dpmSolver2M
  /// `steps`: how many noise levels it goes through.
  public var steps = 20
  /// `guidance`: how strongly the class is followed; 1 for no guidance.
  public var guidance = 2.0

  /// The defaults.
  public init() {}

  /// Why models of a process can't be sampled so; nil if they can.
  func problem(with noise: NoiseSettings) -> String? {
    do throws(SchedulerError) {
      _ = try scheduler.configuration(forModelTrainedWith: noise.scheduler).scheduler()
        .start(steps: steps)
      return nil
    } catch {
      return "\(error)"
    }
  }
}

extension SamplingSettings: SettingsGroup {
  mutating func visit(_ fields: inout SettingsFields) throws(TrainingSettingsError) {
    try fields.choice("scheduler", &scheduler)
    try fields.integer("steps", &steps, in: 1...10_000)
    try fields.number("guidance", &guidance, .between(0, 100))
  }
}
