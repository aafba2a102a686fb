import Layers
public import Models
public import Tensors

/// Trains an autoencoder step by step: batch, loss, gradient, AdamW, running means.
///
/// What a step does depends on the settings, its number and its batches alone, so that a trainer
/// that goes on from a checkpoint ends with the same bits, for any number of threads.
public struct AutoencoderTrainer<Model: Autoencoder>: Sendable {
  /// What a step measured.
  public struct Report: Sendable {
    /// The terms of the loss, means over the step's batches.
    public var objective: ObjectiveReport
    /// The length of the gradient of all parameters, before it is clipped.
    public var gradientNorm: Double
    /// The step's learning rate.
    public var learningRate: Double
    /// The loss of the discriminator; nil without one.
    public var discriminatorLoss: Double?
    /// How long other processes' gradients were waited for, when this one's was computed.
    public var waited = Duration.zero
  }

  /// The run's settings.
  public let settings: TrainingSettings
  /// What is trained, as the last step left it.
  public private(set) var trained: TrainedAutoencoder<Model>
  /// How many steps were made.
  public private(set) var step = 0
  /// What is made small.
  public let objective: Objective
  private var updater: ParameterUpdater
  private let random: PhiloxRandomSource
  private var adversary: DiscriminatorTrainer?
  private let processes: ProcessGroup
  private let reducer: GradientReducer

  /// A trainer before its first step.
  ///
  /// - Parameters:
  ///   - model: what is trained.
  ///   - settings: the run's.
  ///   - processes: those that train together, each with its share of every batch.
  /// - Throws: ``TrainingError`` if the squares don't fit the network or the objective, or nothing
  ///   can be trained; `TrainingSettingsError` for a bottleneck that doesn't fit; `CheckpointError`
  ///   if the perceptual network can't be read; ``ProcessGroupError`` for settings that several processes can't follow.
  public init(
    _ model: Model, settings: TrainingSettings, processes: ProcessGroup = .alone
  ) throws {
    let paths = WeightCollector(model).tensors.map { ParameterPath($0.name) }
    guard paths.contains(where: { !settings.train.isFrozen($0) }) else {
      throw TrainingError.nothingToTrain
    }
    try processes.check(settings)
    self.settings = settings
    self.processes = processes
    reducer = GradientReducer(processes)
    random = PhiloxRandomSource(seed: settings.train.seed)
    var (book, judge) = (random.stream(RandomStream.codebook), random.stream(RandomStream.judge))
    objective = try Objective(reading: settings)
    trained = TrainedAutoencoder(
      model: model,
      bottleneck: try Bottleneck(
        settings.bottleneck, latentChannels: model.latentChannels, using: &book),
      objective: ObjectiveParameters(settings.objective))
    updater = ParameterUpdater(
      settings.optimizer, stepCount: settings.train.steps, averaging: model)
    adversary = DiscriminatorTrainer(settings.objective, using: &judge)
    try Self.checkCrop(settings, factor: model.spatialFactor, judge: adversary?.discriminator)
  }

  private static func checkCrop(
    _ settings: TrainingSettings, factor: Int, judge: PatchDiscriminator?
  ) throws(TrainingError) {
    let crop = settings.data.crop
    guard crop % factor == 0 else { throw .cropDoesNotFit(crop: crop, factor: factor) }
    if let judge, crop < judge.leastSide {
      throw .cropTooSmall(
        crop: crop, least: judge.leastSide, setting: "objective.adversarial_weight")
    }
  }

  /// The network with the running means of its parameters, which is what a run delivers; what is
  /// frozen stays bit for bit.
  public var averagedModel: Model {
    updater.averaged(trained.model, isFrozen: settings.train.isFrozen)
  }

  // MARK: Steps

  /// Makes one step.
  ///
  /// - Parameter nextBatch: gives the batches in their order, `[N, crop, crop, 3]` in −1…1, this
  ///   process' part of each; asked `accumulation` times.
  /// - Returns: what was measured.
  /// - Throws: ``TrainingError/notFinite(step:place:)``, and then nothing has changed; what
  ///   `nextBatch` throws.
  public mutating func makeStep(_ nextBatch: () throws -> Tensor) throws -> Report {
    let count = settings.optimizer.accumulation
    let (parts, gradient) = try accumulated(count) { index in
      try differentiate(try nextBatch(), number: step * count + index)
    }
    let norm = GradientClipping.norm(over: trained) { gradient[$0] }
    guard norm.isFinite else {
      throw TrainingError.notFinite(step: step + 1, place: place(ofBad: gradient))
    }
    let discriminatorLoss = try trainAdversary(with: parts)
    let rate = updater.update(&trained, along: gradient, norm: norm, atStep: step)
    var choices = random.stream(RandomStream.choices).stream(UInt64(step))
    for part in parts { trained.bottleneck.update(with: part.quantization, using: &choices) }
    updater.average(trained.model)
    step += 1
    var objective = ObjectiveReport(meanOf: parts.map(\.report))
    try objective.replaceNumbers { try processes.mean($0) }
    return Report(
      objective: objective, gradientNorm: norm, learningRate: rate,
      discriminatorLoss: discriminatorLoss, waited: reducer.waited)
  }

  /// What is left of a batch when its gradient is known.
  private struct Part: Sendable {
    let report: ObjectiveReport
    let quantization: Quantization?
    /// Pictures and reconstructions, where a discriminator learns from them.
    let pair: (real: Tensor, fake: Tensor)?
  }

  private mutating func trainAdversary(with parts: [Part]) throws -> Double? {
    guard objective.isAdversarial(atStep: step) else { return nil }
    do throws(DiscriminatorTrainer.NotFinite) {
      return try adversary?.makeStep(parts.compactMap(\.pair))
    } catch {
      throw TrainingError.notFinite(
        step: step + 1, place: "the gradient at the discriminator's \(error.path)")
    }
  }

  private func differentiate(_ batch: Tensor, number: Int) throws -> (Part, Gradient) {
    let (loss, part, gradient) = try reducer.valueWithGradient(
      at: trained, isTrainable: { !settings.train.isFrozen($0) },
      reporting: { self.loss(of: batch, number: number, with: $0) })
    guard loss.isFinite else {
      throw TrainingError.notFinite(
        step: step + 1, place: place(ofBadLossOf: batch, number: number))
    }
    return (part, gradient)
  }

  /// The loss of a batch; its number, counted through the run, fixes the noise.
  private func loss(
    of pictures: Tensor, number: Int, with trained: TrainedAutoencoder<Model>,
    repeating: Bool? = nil
  ) -> (loss: Tensor, report: Part) {
    var noise = random.stream(RandomStream.noise).stream(UInt64(number))
    let repeats = repeating ?? settings.train.activationCheckpointing
    let posterior = trained.encode(pictures, repeating: repeats)
    let code = trained.bottleneck(
      posterior,
      noise: posterior.logVariance.map {
        processes.shareOfNormals(shape: $0.shape, using: &noise)
      })
    let reconstructions = trained.decode(code.latents, repeating: repeats)
    let isJudged = objective.isAdversarial(atStep: step)
    let (loss, report) = objective(
      pictures: pictures, reconstructions: reconstructions, code: code,
      parameters: trained.objective, step: step,
      adversary: isJudged
        ? adversary.map { Adversary(discriminator: $0.discriminator, judging: trained.model) } : nil
    )
    return (
      loss,
      Part(
        report: report, quantization: code.quantization?.detached(),
        pair: isJudged ? (pictures, reconstructions.detached()) : nil)
    )
  }

  // MARK: Numbers that aren't finite

  /// Where the loss of a batch stopped being finite.
  private func place(ofBadLossOf batch: Tensor, number: Int) -> String {
    var finder = FirstBadParameter()
    var copy = trained
    // This visitor throws nothing.
    try? copy.visitParameters(at: .root, with: &finder)
    if let path = finder.path { return "the parameter \(path)" }
    let (tracked, parameters) = trained.tracked()
    let place = firstNonFiniteResult(using: parameters.map(\.tensor)) {
      _ = loss(of: batch, number: number, with: tracked, repeating: false)
    }
    return place.map { "the output at the layer \(parameters[$0].path.layer)" } ?? "the loss"
  }

  /// Where gradients stopped being finite: at the last layer, since they come from the end.
  private func place(ofBad gradient: Gradient) -> String {
    let bad = gradient.paths.last { gradient[$0]?.isFinite == false }
    return bad.map { "the gradient at the layer \($0.layer)" } ?? "the gradient"
  }
}

/// What random numbers of a run are for; 1 and 2 are the batches'.
enum RandomStream {
  static let noise: UInt64 = 3
  static let parameters: UInt64 = 4
  static let validation: UInt64 = 5
  static let codebook: UInt64 = 6
  static let choices: UInt64 = 7
  static let judge: UInt64 = 8
  static let timesteps: UInt64 = 9
  static let dropout: UInt64 = 10
  static let samples: UInt64 = 11
}

private struct FirstBadParameter: ParameterVisitor {
  var path: ParameterPath?

  mutating func visit(_ parameter: inout Tensor, at path: ParameterPath, layout: ParameterLayout) {
    if self.path == nil, !parameter.isFinite { self.path = path }
  }
}

extension ParameterPath {
  /// The layer that the parameter belongs to: its name without `.weight` or `.bias`.
  fileprivate var layer: String {
    let name = description
    guard let dot = name.lastIndex(of: "."), name.hasSuffix("weight") || name.hasSuffix("bias")
    else { return name }
    return String(name[..<dot])
  }
}

// MARK: Validation and checkpoints

extension AutoencoderTrainer {
  /// Measures the averaged network on squares that it isn't trained with.
  ///
  /// - Parameters:
  ///   - loader: gives the squares.
  ///   - pictureCount: how many of them are used.
  /// - Returns: the measurements.
  /// - Throws: `TrainingDataError`.
  public func validate(with loader: BatchLoader, pictureCount: Int) throws -> AutoencoderValidation
  {
    var averaged = trained
    averaged.model = averagedModel
    return try AutoencoderValidation(
      of: averaged, objective: objective, step: max(0, step - 1), loader: loader,
      pictureCount: pictureCount,
      noise: random.stream(RandomStream.validation))
  }

  /// Everything that the next steps depend on.
  public var checkpoint: TrainingCheckpoint {
    get throws {
      var checkpoint = TrainingCheckpoint(
        step: step, settings: settings.values, architecture: try trained.model.configurationObject()
      )
      checkpoint.add(trained)
      updater.add(to: &checkpoint)
      adversary?.add(to: &checkpoint)
      return checkpoint
    }
  }

  /// Goes back to the state of a checkpoint.
  ///
  /// - Throws: `TrainingCheckpointError` where it isn't one of such a run.
  public mutating func restore(_ checkpoint: TrainingCheckpoint) throws {
    try checkpoint.restore(&trained)
    try updater.restore(from: checkpoint)
    try adversary?.restore(from: checkpoint)
    step = checkpoint.step
  }
}

extension ObjectiveReport {
  /// Replaces the loss, its terms and the divergence of each channel by as many other numbers.
  mutating func replaceNumbers(_ change: ([Double]) throws -> [Double]) rethrows {
    let old = [loss] + terms.flatMap { [$0.value, $0.contribution] } + klPerChannel
    let new = try change(old)
    loss = new[0]
    terms = terms.indices.map {
      Term(name: terms[$0].name, value: new[1 + 2 * $0], contribution: new[2 + 2 * $0])
    }
    klPerChannel = Array(new.suffix(klPerChannel.count))
  }

  /// The means of the numbers of several batches.
  ///
  /// - Precondition: there is one.
  init(meanOf reports: [ObjectiveReport]) {
    self = reports[reports.count - 1]
    guard reports.count > 1 else { return }
    let count = Double(reports.count)
    loss = reports.reduce(0) { $0 + $1.loss } / count
    terms = terms.indices.map { index in
      let sum = reports.reduce((value: 0.0, contribution: 0.0)) { sum, report in
        (
          sum.value + report.terms[index].value,
          sum.contribution + report.terms[index].contribution
        )
      }
      return Term(
        name: terms[index].name, value: sum.value / count, contribution: sum.contribution / count)
    }
    klPerChannel = klPerChannel.indices.map { channel in
      reports.reduce(0) { $0 + $1.klPerChannel[channel] } / count
    }
  }
}
