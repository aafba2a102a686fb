public import Tensors

/// Euler's method that goes further down than it is wanted, and adds noise instead.
///
/// `sample_euler_ancestral` of k-diffusion: in the terms of Song et al. 2020, arXiv:2010.02502, the
/// whole noise of DDPM. As diffusers' `EulerAncestralDiscreteScheduler`; x₀ may be predicted too.
public struct EulerAncestralDiscreteScheduler: Scheduler {
  /// The process that the denoiser was trained with.
  public let schedule: NoiseSchedule
  private let configuration: SchedulerConfiguration

  /// The scheduler of a configuration.
  ///
  /// - Throws: ``SchedulerError`` where a setting is out of range.
  public init(
    _ configuration: SchedulerConfiguration = .init(.eulerAncestral)
  ) throws(SchedulerError) {
    schedule = try configuration.noiseSchedule()
    self.configuration = configuration
  }

  /// What the denoiser says.
  public var predictionType: PredictionType { configuration.predictionType }

  /// The steps from noise to picture.
  public func start(steps: Int) throws(SchedulerError) -> Sampling {
    try SigmaPlan(configuration, schedule: schedule, steps: steps).explodingSampling(self)
  }

  /// x' = x₀ + (σ↓/σ)·(x − x₀) + σ↑·n, σ↑² = σ'²·(σ² − σ'²)/σ², σ↓² = σ'² − σ↑².
  public func step(
    _ output: Tensor, at step: SamplingStep, sample: Tensor, history: inout SamplingHistory,
    noise: () -> Tensor
  ) -> SchedulerOutput {
    let original = predictionType.original(output, sample: sample, at: step.level)
    let (old, new) = (step.level.noise * step.level.noise, step.next.noise * step.next.noise)
    let added = new * max(old - new, 0) / old
    let ratio = ((new - added) / old).squareRoot()
    let direct = combination([(1 - ratio, original), (ratio, sample)])
    return SchedulerOutput(
      previousSample: added > 0 ? direct + noise() * Float(added.squareRoot()) : direct,
      predictedOriginal: original)
  }
}
