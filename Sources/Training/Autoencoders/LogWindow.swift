import Models
import Pipelines
import Tensors

/// The steps since the last line of the log: their means, and how fast they were.
struct LogWindow {
  private var reports: [ObjectiveReport] = []
  private var gradientNorms: [Double] = []
  private var discriminatorLosses: [Double] = []
  private var learningRate = 0.0
  /// Time at work since `firstStep`, without validations and checkpoints.
  private var elapsed = Duration.zero
  private var begin = ContinuousClock.now
  private var allSteps = 0
  private var allElapsed = Duration.zero

  /// Begins anew after a line was written.
  mutating func start(at step: Int) {
    reports = []
    gradientNorms = []
    discriminatorLosses = []
    elapsed = .zero
    begin = .now
  }

  /// What happened since the last step was no training.
  mutating func pause() { begin = .now }

  mutating func add(_ report: AutoencoderTrainer<some Autoencoder>.Report) {
    reports.append(report.objective)
    gradientNorms.append(report.gradientNorm)
    learningRate = report.learningRate
    if let loss = report.discriminatorLoss { discriminatorLosses.append(loss) }
    let time = ContinuousClock.now - begin
    begin = .now
    elapsed += time
    allElapsed += time
    allSteps += 1
  }

  /// Pictures a second since the last line.
  private func imagesPerSecond(_ settings: TrainingSettings) -> Double {
    let count = reports.count * settings.data.batchSize * settings.optimizer.accumulation
    return Double(count) / max(1e-9, elapsed.inSeconds)
  }

  /// Nats a position from nats a picture.
  private func klPerPosition(
    _ report: ObjectiveReport, _ settings: TrainingSettings, _ model: some Autoencoder
  ) -> [Double] {
    let side = settings.data.crop / model.spatialFactor
    return report.klPerChannel.map { $0 / Double(side * side) }
  }

  /// What the log keeps: means over the steps since the last line.
  func values(
    at step: Int, _ settings: TrainingSettings, _ model: some Autoencoder
  ) -> [(name: String, value: Double)] {
    guard !reports.isEmpty else { return [] }
    let mean = ObjectiveReport(meanOf: reports)
    var values = mean.values
    for (channel, kl) in klPerPosition(mean, settings, model).enumerated() {
      values.append(("kl.\(channel)", kl))
    }
    values.append(("gradient_norm", gradientNorms.reduce(0, +) / Double(gradientNorms.count)))
    if !discriminatorLosses.isEmpty {
      let sum = discriminatorLosses.reduce(0, +)
      values.append(("discriminator_loss", sum / Double(discriminatorLosses.count)))
    }
    values.append(("learning_rate", learningRate))
    values.append(("images_per_second", imagesPerSecond(settings)))
    return values
  }

  /// How far the run is.
  func line(
    at step: Int, of stepCount: Int, _ settings: TrainingSettings, _ model: some Autoencoder
  ) -> ProgressLine {
    var line = ProgressLine(step: step, stepCount: stepCount)
    guard let last = reports.last else { return line }
    line.terms = [("loss", last.loss)] + last.terms.map { ($0.name, $0.contribution) }
    line.klPerChannel = klPerPosition(last, settings, model)
    line.imagesPerSecond = imagesPerSecond(settings)
    line.remaining = allElapsed / allSteps * (stepCount - step)
    return line
  }
}
