import Layers
public import Models
import Schedulers
import Tensors

/// Trains a denoiser step by step: latents, noise, the square error of its estimate, AdamW, running
/// means.
///
/// Algorithm 1 of Ho et al. 2020, arXiv:2006.11239. As with ``AutoencoderTrainer``, a step depends on
/// settings, number and batches alone.
public struct DiffusionTrainer<Model: Denoiser>: Sendable {
  /// What a step measured.
  public struct Report: Sendable {
    /// The weighted mean square error, which is made small.
    public var loss: Double
    /// The mean square error of the denoiser's estimate.
    public var meanSquareError: Double
    /// The length of the gradient of all parameters, before it is clipped.
    public var gradientNorm: Double
    /// The step's learning rate.
    public var learningRate: Double
    /// How long other processes' gradients were waited for, when this one's was computed.
    public var waited = Duration.zero
  }

  /// The run's settings.
  public let settings: DiffusionSettings
  /// What is trained, as the last step left it.
  public private(set) var model: Model
  /// How many steps were made.
  public private(set) var step = 0
  private let process: DiffusionProcess
  /// The label that stands for no class; nil where classes are never withheld.
  private let nullLabel: Int?
  private var updater: ParameterUpdater
  private let random: PhiloxRandomSource
  private let processes: ProcessGroup
  private let reducer: GradientReducer

  /// A trainer before its first step.
  ///
  /// - Parameters:
  ///   - model: what is trained.
  ///   - settings: the run's.
  ///   - nullLabel: the label that stands for no class; nil to withhold none.
  ///   - processes: those that train together, each with its share of every batch.
  /// - Throws: ``TrainingError/nothingToTrain``; `SchedulerError` for noise that can't be;
  ///   ``ProcessGroupError`` for batches that processes can't share.
  /// - Precondition: the model knows `nullLabel`.
  public init(
    _ model: Model, settings: DiffusionSettings, nullLabel: Int?,
    processes: ProcessGroup = .alone
  ) throws {
    let paths = WeightCollector(model).tensors.map { ParameterPath($0.name) }
    guard paths.contains(where: { !settings.train.isFrozen($0) }) else {
      throw TrainingError.nothingToTrain
    }
    precondition(
      nullLabel.map { (0..<(model.labelCount ?? 0)).contains($0) } ?? true,
      "the label \(nullLabel ?? 0) of \(model.labelCount ?? 0)")
    try processes.checkBatch(of: settings.data.batchSize)
    self.settings = settings
    self.model = model
    self.processes = processes
    reducer = GradientReducer(processes)
    self.nullLabel = nullLabel
    process = try DiffusionProcess(settings.noise)
    updater = ParameterUpdater(
      settings.optimizer, stepCount: settings.train.steps, averaging: model)
    random = PhiloxRandomSource(seed: settings.train.seed)
  }

  /// The denoiser with the running means of its parameters, which is what a run delivers.
  public var averagedModel: Model {
    updater.averaged(model, isFrozen: settings.train.isFrozen)
  }

  // MARK: Steps

  /// Makes one step.
  ///
  /// - Parameter nextBatch: gives the batches in their order, this process' part of each; asked
  ///   `accumulation` times.
  /// - Returns: what was measured.
  /// - Throws: ``TrainingError/notFinite(step:place:)``, and then nothing has changed; what
  ///   `nextBatch` throws.
  public mutating func makeStep(_ nextBatch: () throws -> LatentBatch) throws -> Report {
    let count = settings.optimizer.accumulation
    let (parts, gradient) = try accumulated(count) { index in
      try differentiate(try nextBatch(), number: step * count + index)
    }
    let norm = GradientClipping.norm(over: model) { gradient[$0] }
    guard norm.isFinite else {
      let bad = gradient.paths.last { gradient[$0]?.isFinite == false }
      throw TrainingError.notFinite(
        step: step + 1, place: bad.map { "the gradient at \($0)" } ?? "the gradient")
    }
    let rate = updater.update(&model, along: gradient, norm: norm, atStep: step)
    updater.average(model)
    step += 1
    let means = try processes.mean([
      parts.reduce(0) { $0 + $1.loss } / Double(count),
      parts.reduce(0) { $0 + $1.error } / Double(count),
    ])
    return Report(
      loss: means[0], meanSquareError: means[1], gradientNorm: norm, learningRate: rate,
      waited: reducer.waited)
  }

  private func differentiate(
    _ batch: LatentBatch, number: Int
  ) throws -> ((loss: Double, error: Double), Gradient) {
    let (value, errors, gradient) = try reducer.valueWithGradient(
      at: model, isTrainable: { !settings.train.isFrozen($0) },
      reporting: { self.loss(of: batch, number: number, with: $0) })
    let loss = Double(value.scalars[0])
    guard loss.isFinite else {
      throw TrainingError.notFinite(step: step + 1, place: "the loss")
    }
    return ((loss, errors.reduce(0, +) / Double(errors.count)), gradient)
  }

  /// The loss of a batch, and the mean square error of each estimate.
  private func loss(
    of batch: LatentBatch, number: Int, with model: Model
  ) -> (loss: Tensor, report: [Double]) {
    func random(_ stream: UInt64) -> PhiloxRandomSource {
      self.random.stream(stream).stream(UInt64(number))
    }
    var (times, noises) = (random(RandomStream.timesteps), random(RandomStream.noise))
    let count = batch.latents.shape[0]
    let moments = processes.share(
      of: process.moments(count: count * processes.count, using: &times))
    let noise = processes.shareOfNormals(shape: batch.latents.shape, using: &noises)
    let squares = process.error(
      of: model, latents: batch.latents, noise: noise, moments: moments,
      labels: withholdingSome(of: batch.labels, random(RandomStream.dropout))
    ).squared()
    let weights = moments.map {
      settings.objective.weight(at: $0.level, of: settings.noise.prediction)
    }
    let errors = squares.detached().mean(over: 1..<4).scalars
    return (squares.scaled(perImage: weights).mean(), errors.map(Double.init))
  }

  /// Labels of which some are replaced by that for no class.
  private func withholdingSome(of labels: [Int]?, _ random: PhiloxRandomSource) -> [Int]? {
    guard let labels, let nullLabel else { return labels }
    var random = random
    let draws = (0..<labels.count * processes.count).map { _ in random.next().unitInterval }
    return zip(labels, processes.share(of: draws)).map { label, draw in
      draw < settings.objective.labelDropout ? nullLabel : label
    }
  }

  // MARK: Validation and checkpoints

  /// The mean square error of the averaged denoiser for latents that it isn't trained with, at
  /// moments that are spread evenly over the process.
  ///
  /// - Parameters:
  ///   - loader: gives the latents.
  ///   - count: how many of them are used.
  /// - Returns: the mean over all, and that of each quarter of the process, the least noise first;
  ///   nil for a quarter that no latent fell into.
  /// - Throws: ``TrainingDataError/unreadable(name:reason:)``.
  public func validate(
    with loader: LatentLoader, count: Int
  ) throws -> (mean: Double, quarters: [Double?]) {
    let model = averagedModel
    var sums = [Double](repeating: 0, count: Self.quarterCount)
    var counts = [Double](repeating: 0, count: Self.quarterCount)
    var noises = random.stream(RandomStream.validation)
    for start in stride(from: 0, to: count, by: settings.data.batchSize) {
      let range = start..<min(count, start + settings.data.batchSize)
      let batch = try loader.latents(range)
      // Multiples of the golden ratio lie evenly, however many there are.
      let positions = range.map {
        (Double($0) * Self.goldenRatio).truncatingRemainder(dividingBy: 1)
      }
      let difference = process.error(
        of: model, latents: batch.latents,
        noise: .randomNormal(shape: batch.latents.shape, using: &noises),
        moments: positions.map(process.moment), labels: batch.labels)
      for (position, error) in zip(positions, difference.squared().mean(over: 1..<4).scalars) {
        let quarter = min(Int(position * Double(Self.quarterCount)), Self.quarterCount - 1)
        sums[quarter] += Double(error)
        counts[quarter] += 1
      }
    }
    return (
      sums.reduce(0, +) / max(1, counts.reduce(0, +)),
      zip(sums, counts).map { $1 > 0 ? $0 / $1 : nil }
    )
  }

  private static var quarterCount: Int { 4 }
  private static var goldenRatio: Double { 0.618_033_988_75 }

  /// Everything that the next steps depend on.
  public var checkpoint: TrainingCheckpoint {
    get throws {
      var checkpoint = TrainingCheckpoint(
        step: step, settings: settings.values, architecture: try model.configurationObject())
      checkpoint.add(model)
      updater.add(to: &checkpoint)
      return checkpoint
    }
  }

  /// Goes back to the state of a checkpoint.
  ///
  /// - Throws: `TrainingCheckpointError` where it isn't one of such a run.
  public mutating func restore(_ checkpoint: TrainingCheckpoint) throws {
    try checkpoint.restore(&model)
    try updater.restore(from: checkpoint)
    step = checkpoint.step
  }
}
