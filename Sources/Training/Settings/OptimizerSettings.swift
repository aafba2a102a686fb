/// `optimizer`: how parameters follow their gradients; see ``AdamW``.
public struct OptimizerSettings: Hashable, Sendable {
  /// `learning_rate`: the greatest learning rate.
  public var learningRate = 5e-4
  /// The first of `betas`: how much of the mean of gradients is kept.
  public var beta1 = 0.9
  /// The second of `betas`: how much of the mean of squared gradients is kept.
  public var beta2 = 0.99
  /// `epsilon`: added to the root of the mean square.
  public var epsilon = 1e-8
  /// `weight_decay`: λ, of which the learning rate's part is taken from weights at each step.
  public var weightDecay = 0.0
  /// `decay_norms_and_biases`: whether biases and the scales of norms shrink, too.
  public var decayNormsAndBiases = false
  /// `warm_up_steps`: for how many steps the learning rate rises.
  public var warmUpSteps = 200
  /// `schedule`: what it does then.
  public var schedule = LearningRateSchedule.Shape.cosine
  /// `floor`: the part of the learning rate that the cosine ends at.
  public var floor = 0.02
  /// `clip_norm`: the greatest length of all gradients together; 0 for no limit.
  public var clipNorm = 1.0
  /// `accumulation`: of how many batches the gradients are averaged for a step.
  public var accumulation = 1
  /// `ema_decay`: how much of the running mean of parameters is kept, which is what the run
  /// delivers; 0 for none.
  public var emaDecay = 0.999

  /// The defaults.
  public init() {}

  /// What an ``AdamW`` needs of these.
  public var adamW: AdamW.Settings {
    var settings = AdamW.Settings()
    settings.beta1 = beta1
    settings.beta2 = beta2
    settings.epsilon = epsilon
    settings.weightDecay = weightDecay
    settings.decaysNormsAndBiases = decayNormsAndBiases
    return settings
  }

  /// The learning rates of a run of so many steps.
  public func schedule(stepCount: Int) -> LearningRateSchedule {
    LearningRateSchedule(
      shape: schedule, peak: learningRate, warmUpStepCount: warmUpSteps, stepCount: stepCount,
      floor: floor)
  }

  /// How gradients are clipped; nil for not at all.
  public var clipping: GradientClipping? {
    clipNorm > 0 ? GradientClipping(maximumNorm: clipNorm) : nil
  }
}

extension OptimizerSettings: SettingsGroup {
  mutating func visit(_ fields: inout SettingsFields) throws(TrainingSettingsError) {
    try fields.number("learning_rate", &learningRate, .above(0))
    try fields.pair("betas", &beta1, &beta2, .fraction)
    try fields.number("epsilon", &epsilon, .above(0))
    try fields.number("weight_decay", &weightDecay, .atLeast(0))
    try fields.boolean("decay_norms_and_biases", &decayNormsAndBiases)
    try fields.integer("warm_up_steps", &warmUpSteps, in: 0...Int.max)
    try fields.choice("schedule", &schedule)
    try fields.number("floor", &floor, .between(0, 1))
    try fields.number("clip_norm", &clipNorm, .atLeast(0))
    try fields.integer("accumulation", &accumulation, in: 1...65536)
    try fields.number("ema_decay", &emaDecay, .fraction)
  }
}
