import Glibc
public import Tensors

/// Euler's method along the straight paths of flow matching, dx/dσ = ε − x₀.
///
/// Lipman et al. 2022, arXiv:2210.02747; Liu et al. 2022, arXiv:2209.03003; the shift of levels after
/// Esser et al. 2024, arXiv:2403.03206. As diffusers' `FlowMatchEulerDiscreteScheduler`.
public struct FlowMatchEulerDiscreteScheduler: Scheduler {
  private let configuration: SchedulerConfiguration
  /// How far levels are moved towards noise.
  private let shift: Double

  /// The scheduler of a configuration.
  ///
  /// - Parameters:
  ///   - configuration: the settings.
  ///   - tokenCount: how many tokens the denoiser sees, on which the shift depends where
  ///     `use_dynamic_shifting` is set.
  /// - Throws: ``SchedulerError`` where a setting is out of range, or the count is wanted.
  public init(
    _ configuration: SchedulerConfiguration = .init(.flowMatchEuler), tokenCount: Int? = nil
  ) throws(SchedulerError) {
    try configuration.validate()
    self.configuration = configuration
    guard configuration.useDynamicShifting else {
      shift = configuration.shift
      return
    }
    guard let tokenCount else {
      throw .contradiction(
        "use_dynamic_shifting is true, so the shift depends on the picture's size; say how many "
          + "tokens it has, or set use_dynamic_shifting to false and shift to a number")
    }
    let length = configuration.maxImageSeqLen - configuration.baseImageSeqLen
    let slope = (configuration.maxShift - configuration.baseShift) / Double(length)
    let distance = Double(tokenCount - configuration.baseImageSeqLen)
    shift = exp(configuration.baseShift + slope * distance)
  }

  /// What the denoiser says: the velocity, whatever the configuration.
  public var predictionType: PredictionType { .flow }

  /// The steps from noise to picture.
  public func start(steps: Int) throws(SchedulerError) -> Sampling {
    let total = configuration.numTrainTimesteps
    guard (1...total).contains(steps) else {
      throw .steps(steps, reason: "there are \(total) timesteps; ask for 1 to \(total)")
    }
    // The smallest level is shifted twice where the shift is fixed, as diffusers does.
    let smallest = 1 / Double(total)
    let last = configuration.useDynamicShifting ? smallest : flowShifted(smallest, by: shift)
    var sigmas = evenlySpaced(1, last, steps).map { flowShifted($0, by: shift) }
    sigmas =
      configuration.sigmaSpacing.sigmas(from: sigmas[0], to: sigmas[steps - 1], count: steps)
      ?? sigmas
    return Sampling(
      self,
      steps: SamplingStep.steps(
        timesteps: sigmas.map { $0 * Double(total) }, levels: (sigmas + [0]).map(NoiseLevel.flow)))
  }

  /// x' = x + (σ' − σ)·v.
  public func step(
    _ output: Tensor, at step: SamplingStep, sample: Tensor, history: inout SamplingHistory,
    noise: () -> Tensor
  ) -> SchedulerOutput {
    SchedulerOutput(
      previousSample: combination([
        (1, sample), (step.next.noise - step.level.noise, output),
      ]),
      predictedOriginal: predictionType.original(output, sample: sample, at: step.level))
  }
}
