public import Tensors

/// Denoising diffusion implicit models: from x to x' by way of x₀, with as much noise as is wanted.
///
/// Song et al. 2020, arXiv:2010.02502, equations 12 and 16. As diffusers' `DDIMScheduler`, except
/// that the previous timestep is the schedule's next entry: there it is t − ⌊T/N⌋, which with
/// `linspace` isn't on the schedule.
public struct DDIMScheduler: Scheduler {
  /// The process that the denoiser was trained with.
  public let schedule: NoiseSchedule
  /// How much noise a step adds: 0 none, 1 as much as DDPM does.
  public let eta: Double
  private let configuration: SchedulerConfiguration

  /// The scheduler of a configuration.
  ///
  /// - Parameters:
  ///   - configuration: the settings.
  ///   - eta: how much noise a step adds, in 0…1.
  /// - Throws: ``SchedulerError`` where a setting is out of range.
  public init(
    _ configuration: SchedulerConfiguration = .init(.ddim), eta: Double = 0
  ) throws(SchedulerError) {
    guard (0...1).contains(eta) else {
      throw .outOfRange(name: "eta", value: "\(eta)", expected: "between 0 and 1")
    }
    schedule = try configuration.noiseSchedule()
    self.configuration = configuration
    self.eta = eta
  }

  /// What the denoiser says.
  public var predictionType: PredictionType { configuration.predictionType }

  /// The level of the result: that of the first timestep, if the model was trained so.
  private var result: NoiseLevel {
    configuration.setAlphaToOne ? NoiseLevel(signal: 1, noise: 0) : schedule.level(at: 0)
  }

  /// The steps from noise to picture.
  public func start(steps: Int) throws(SchedulerError) -> Sampling {
    Sampling(self, steps: try configuration.steps(steps, of: schedule, result: result))
  }

  /// The steps from noise to picture at timesteps of one's own, each below the one before.
  ///
  /// - Throws: ``SchedulerError`` where they aren't timesteps of the training in falling order.
  public func start(timesteps: [Int]) throws(SchedulerError) -> Sampling {
    Sampling(
      self,
      steps: try configuration.steps(
        at: timesteps.map { Double($0) }, of: schedule, result: result))
  }

  /// x' = √ᾱ'·x₀ + √(1 − ᾱ' − σ²)·ε + σ·n, σ² = η²·(1 − ᾱ')/(1 − ᾱ)·(1 − ᾱ/ᾱ').
  public func step(
    _ output: Tensor, at step: SamplingStep, sample: Tensor, history: inout SamplingHistory,
    noise: () -> Tensor
  ) -> SchedulerOutput {
    let original = configuration.clipped(
      predictionType.original(output, sample: sample, at: step.level))
    let epsilon = predictionType.noise(output, sample: sample, at: step.level)
    let ratio = step.level.signal / step.next.signal
    let (old, new) = (step.level.noise * step.level.noise, step.next.noise * step.next.noise)
    let variance = eta * eta * max(new / old * (1 - ratio * ratio), 0)
    let direct = combination([
      (step.next.signal, original), (max(new - variance, 0).squareRoot(), epsilon),
    ])
    return SchedulerOutput(
      previousSample: variance > 0 ? direct + noise() * Float(variance.squareRoot()) : direct,
      predictedOriginal: original)
  }
}
