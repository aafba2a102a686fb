public import Tensors

/// Heun's method for the probability-flow equation: each of Euler's steps is made once more with the
/// mean of the slopes at both its ends.
///
/// Algorithm 1 of Karras et al. 2022, arXiv:2206.00364, without its noise. N levels are 2N − 1
/// steps, since the last one has no second slope. As diffusers' `HeunDiscreteScheduler`.
public struct HeunDiscreteScheduler: Scheduler {
  /// The process that the denoiser was trained with.
  public let schedule: NoiseSchedule
  private let configuration: SchedulerConfiguration

  /// The scheduler of a configuration.
  ///
  /// - Throws: ``SchedulerError`` where a setting is out of range.
  public init(_ configuration: SchedulerConfiguration = .init(.heun)) throws(SchedulerError) {
    schedule = try configuration.noiseSchedule()
    self.configuration = configuration
  }

  /// What the denoiser says.
  public var predictionType: PredictionType { configuration.predictionType }

  /// The steps from noise to picture; there are 2·`steps` − 1.
  public func start(steps: Int) throws(SchedulerError) -> Sampling {
    let plan = try SigmaPlan(configuration, schedule: schedule, steps: steps)
    let count = 2 * steps - 1
    return Sampling(
      self,
      steps: (0..<count).map { index in
        let isCorrection = index % 2 == 1
        let here = (index + 1) / 2
        let level = NoiseLevel.exploding(sigma: plan.sigmas[here])
        return SamplingStep(
          index: index, count: count, timestep: plan.timesteps[here], level: level,
          next: isCorrection ? level : .exploding(sigma: plan.sigmas[here + 1]),
          inputScale: level.normalizer, isCorrection: isCorrection)
      }, initialNoiseSigma: plan.initialNoiseSigma)
  }

  /// x' = x + (σ' − σ)·d, d = (x − x₀)/σ; in a correction d is the mean with the slope at x'.
  public func step(
    _ output: Tensor, at step: SamplingStep, sample: Tensor, history: inout SamplingHistory,
    noise: () -> Tensor
  ) -> SchedulerOutput {
    let sigma = step.level.noise
    let original = configuration.clipped(
      predictionType.original(output, sample: sample, at: step.level))
    let slope = combination([(1 / sigma, sample), (-1 / sigma, original)])
    let previous: Tensor
    if step.isCorrection, let start = history.sample, let first = history.predictions.last {
      let way = (sigma - first.level.noise) / 2
      previous = combination([(1, start), (way, first.value), (way, slope)])
      history = SamplingHistory()
    } else {
      previous = combination([(1, sample), (step.next.noise - sigma, slope)])
      history.sample = sample
      history.append(slope, at: step.level, keeping: 1)
    }
    return SchedulerOutput(previousSample: previous, predictedOriginal: original)
  }
}
