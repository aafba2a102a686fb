import Layers
import Tensors

/// How a run's parameters follow their gradients: clipping, AdamW, running means.
struct ParameterUpdater: Sendable {
  private let settings: OptimizerSettings
  private let schedule: LearningRateSchedule
  private var optimizer: AdamW
  private var average: ExponentialMovingAverage?

  /// An updater before its first step; `model` is what running means are kept of.
  init(_ settings: OptimizerSettings, stepCount: Int, averaging model: some ParameterContainer) {
    self.settings = settings
    schedule = settings.schedule(stepCount: stepCount)
    optimizer = AdamW(settings.adamW)
    if settings.emaDecay > 0 {
      average = ExponentialMovingAverage(of: model, decay: settings.emaDecay)
    }
  }

  /// Moves parameters against a gradient.
  ///
  /// - Parameters:
  ///   - parameters: all that is trained.
  ///   - gradient: of the loss.
  ///   - norm: its length.
  ///   - step: the number of the step, from 0.
  /// - Returns: the learning rate.
  mutating func update(
    _ parameters: inout some ParameterContainer, along gradient: Gradient, norm: Double,
    atStep step: Int
  ) -> Double {
    let rate = schedule.rate(atStep: step)
    optimizer.update(
      &parameters, learningRate: rate, gradientScale: settings.clipping?.scale(forNorm: norm) ?? 1
    ) { gradient[$0] }
    return rate
  }

  /// Takes the parameters after a step into their running means.
  mutating func average(_ model: some ParameterContainer) { average?.update(with: model) }

  /// A model with the running means of its parameters; what is frozen stays bit for bit.
  func averaged<Model: ParameterContainer>(
    _ model: Model, isFrozen: (ParameterPath) -> Bool
  ) -> Model {
    guard var average else { return model }
    for path in average.averages.keys where isFrozen(path) { average.averages[path] = nil }
    var model = model
    average.apply(to: &model)
    return model
  }

  /// Puts its state into a checkpoint.
  func add(to checkpoint: inout TrainingCheckpoint) {
    checkpoint.add(optimizer)
    if let average { checkpoint.add(average) }
  }

  /// Takes its state from a checkpoint.
  ///
  /// - Throws: `TrainingCheckpointError` where it isn't there.
  mutating func restore(from checkpoint: TrainingCheckpoint) throws(TrainingCheckpointError) {
    try checkpoint.restore(&optimizer)
    if var average {
      try checkpoint.restore(&average)
      self.average = average
    }
  }
}

/// The mean of the gradients of some batches.
///
/// - Parameters:
///   - count: how many batches; at least 1.
///   - differentiate: gives what was measured with a batch, and its gradient.
/// - Returns: what was measured, and the gradient.
/// - Throws: what `differentiate` throws.
func accumulated<Part>(
  _ count: Int, differentiate: (Int) throws -> (Part, Gradient)
) rethrows -> (parts: [Part], gradient: Gradient) {
  var gradient = Gradient()
  var parts: [Part] = []
  for index in 0..<count {
    let (part, derivative) = try differentiate(index)
    parts.append(part)
    if index == 0 { gradient = derivative } else { gradient += derivative }
  }
  return (parts, count > 1 ? gradient * (1 / Float(count)) : gradient)
}
