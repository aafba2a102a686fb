import Images
import Layers
import Tensors

/// The training of a ``PictureClassifier``: cross-entropy, AdamW, a rate along half a cosine, pictures
/// that are shifted, enlarged a bit and mirrored by chance.
///
/// Settings, pictures and seed fix the result, bit for bit, whatever the number of threads.
public struct ClassifierTraining: Sendable {
  /// What can be chosen.
  public struct Settings: Hashable, Sendable {
    /// How many steps are made.
    public var steps = 1500
    /// Pictures in a batch.
    public var batchSize = 32
    /// The greatest learning rate.
    public var learningRate = 2e-3
    /// The part of a learning rate that weights lose at each step.
    public var weightDecay = 0.05
    /// The part of the pictures that is held out, by a hash of their names.
    public var heldOutFraction = 0.2
    /// Whether half of the pictures are mirrored left to right.
    public var flips = true
    /// Fixes first weights and batches.
    public var seed: UInt64 = 0

    /// Settings for some thousand drawings.
    public init() {}
  }

  /// What was chosen.
  public let settings: Settings
  private let pictures: SquarePictures
  private let labels: [Int]
  private let sides: (training: [Int], heldOut: [Int])

  /// A training with these pictures.
  ///
  /// - Precondition: steps and batches are at least 1.
  /// - Throws: ``SampleEvaluationError`` for pictures without two classes, or too few.
  public init(
    _ pictures: SquarePictures, settings: Settings = Settings()
  ) throws(SampleEvaluationError) {
    precondition(
      settings.steps >= 1 && settings.batchSize >= 1,
      "\(settings.steps) steps of \(settings.batchSize) pictures")
    guard let labels = pictures.labels, pictures.classNames.count >= 2 else {
      throw .noClasses(path: pictures.path, found: pictures.classNames)
    }
    guard pictures.count >= 4 else {
      throw .tooFew(path: pictures.path, count: pictures.count, needed: 4)
    }
    self.settings = settings
    self.pictures = pictures
    self.labels = labels
    let sides = ValidationSplit.sides(of: pictures.names, fraction: settings.heldOutFraction)
    self.sides = (sides.training, sides.validation)
  }

  /// Trains a network and tests it with the pictures that were held out.
  ///
  /// - Parameter progress: told of each step.
  /// - Returns: the classifier with its accuracies.
  /// - Throws: ``SampleEvaluationError/diverged(step:)``.
  public func callAsFunction(
    progress: (ProgressLine) -> Void = { _ in }
  ) throws -> TrainedClassifier {
    var configuration = PictureClassifier.Configuration(classNames: pictures.classNames)
    configuration.side = pictures.squares[0].width
    var network = PictureClassifier(configuration)
    var random = PhiloxRandomSource(seed: settings.seed)
    network.initialize(using: &random)
    try train(&network, progress: progress)
    let found = network.examine(pictures.squares).classes
    func accuracy(_ places: [Int]) -> Double {
      Double(places.count { found[$0] == labels[$0] }) / Double(max(1, places.count))
    }
    return try TrainedClassifier(
      network,
      record: TrainedClassifier.Record(
        steps: settings.steps, seed: settings.seed, trainingCount: sides.training.count,
        heldOutCount: sides.heldOut.count, trainingAccuracy: accuracy(sides.training),
        heldOutAccuracy: accuracy(sides.heldOut)))
  }

  private func train(
    _ network: inout PictureClassifier, progress: (ProgressLine) -> Void
  ) throws {
    let loader = loader(side: network.configuration.side)
    let batches = BatchPrefetcher(from: 0) { step throws(TrainingDataError) in
      try loader.batch(step)
    }
    var decay = AdamW.Settings()
    decay.weightDecay = settings.weightDecay
    var optimizer = AdamW(decay)
    let schedule = LearningRateSchedule(
      shape: .cosine, peak: settings.learningRate, warmUpStepCount: settings.steps / 20,
      stepCount: settings.steps)
    let start = ContinuousClock.now
    for step in 0..<settings.steps {
      let batch = try batches.next()
      let classes = loader.pictures(ofBatch: step).map { labels[$0] }
      let (loss, gradient) = valueWithGradient(at: network) { network in
        ClassificationLosses.crossEntropy(
          network.logits(ofFeatures: network.features(of: batch)), labels: classes)
      }
      let value = Double(loss.span[0])
      guard value.isFinite, gradient.isFinite else {
        throw SampleEvaluationError.diverged(step: step)
      }
      optimizer.update(&network, learningRate: schedule.rate(atStep: step)) { gradient[$0] }
      progress(line(step + 1, loss: value, elapsed: ContinuousClock.now - start))
    }
  }

  private func loader(side: Int) -> BatchLoader {
    var cut = BatchLoader.Settings()
    (cut.crop, cut.batchSize, cut.flips) = (side, settings.batchSize, settings.flips)
    // Enlarged by up to a fifth, and so shifted too.
    cut.scale = 1...1.2
    return BatchLoader(
      source: InMemoryPictures(pictures.squares), indices: sides.training, settings: cut,
      seed: settings.seed)
  }

  private func line(_ step: Int, loss: Double, elapsed: Duration) -> ProgressLine {
    var line = ProgressLine(step: step, stepCount: settings.steps)
    line.terms = [("cross-entropy", loss)]
    let seconds = elapsed / .seconds(1)
    if seconds > 0 { line.imagesPerSecond = Double(step * settings.batchSize) / seconds }
    line.remaining = elapsed * (Double(settings.steps - step) / Double(step))
    return line
  }
}
