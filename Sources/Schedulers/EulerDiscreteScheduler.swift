import Glibc
public import Tensors

/// Euler's method for the probability-flow equation dx/dσ = (x − x₀)/σ.
///
/// Algorithm 2 of Karras et al. 2022, arXiv:2206.00364, without its second-order correction. As
/// diffusers' `EulerDiscreteScheduler`, with its churn: the denoiser sees the sample before noise is
/// added, where the paper shows it the sample after.
public struct EulerDiscreteScheduler: Scheduler {
  /// Noise that is added before each step, and taken away by it: the paper's S.
  public struct Churn: Hashable, Sendable {
    /// S_churn, for all steps together; 0 adds none.
    public var amount = 0.0
    /// S_tmin…S_tmax, the levels σ at which noise is added.
    public var range = 0...Double.infinity
    /// S_noise, what its standard deviation is multiplied with.
    public var noiseScale = 1.0

    /// No churn.
    public init() {}
  }

  /// The process that the denoiser was trained with.
  public let schedule: NoiseSchedule
  /// Noise that is added on the way.
  public let churn: Churn
  private let configuration: SchedulerConfiguration

  /// The scheduler of a configuration.
  ///
  /// - Throws: ``SchedulerError`` where a setting is out of range.
  public init(
    _ configuration: SchedulerConfiguration = .init(.euler), churn: Churn = Churn()
  ) throws(SchedulerError) {
    schedule = try configuration.noiseSchedule()
    self.configuration = configuration
    self.churn = churn
  }

  /// What the denoiser says.
  public var predictionType: PredictionType { configuration.predictionType }

  /// The steps from noise to picture.
  public func start(steps: Int) throws(SchedulerError) -> Sampling {
    var plan = try SigmaPlan(configuration, schedule: schedule, steps: steps)
    if configuration.timestepType == .continuous, predictionType == .velocity {
      plan.timesteps = plan.sigmas.dropLast().map { log($0) / 4 }
    }
    return plan.explodingSampling(self)
  }

  /// x' = x₀ + (σ'/σ)·(x − x₀).
  public func step(
    _ output: Tensor, at step: SamplingStep, sample: Tensor, history: inout SamplingHistory,
    noise: () -> Tensor
  ) -> SchedulerOutput {
    let sigma = step.level.noise
    let gamma =
      churn.range.contains(sigma)
      ? min(churn.amount / Double(step.count), 2.0.squareRoot() - 1) : 0
    let raised = sigma * (1 + gamma)
    var sample = sample
    if gamma > 0 {
      let deviation = (raised * raised - sigma * sigma).squareRoot() * churn.noiseScale
      sample = sample + noise() * Float(deviation)
    }
    // v and flow are about the level that the denoiser saw; ε points from x₀ to the raised level.
    let level = predictionType == .epsilon ? NoiseLevel.exploding(sigma: raised) : step.level
    let original = predictionType.original(output, sample: sample, at: level)
    let ratio = step.next.noise / raised
    return SchedulerOutput(
      previousSample: combination([(1 - ratio, original), (ratio, sample)]),
      predictedOriginal: original)
  }
}
