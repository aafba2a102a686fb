import Glibc
public import Tensors

/// Ancestral sampling of the reversed diffusion: denoising diffusion probabilistic models.
///
/// Ho et al. 2020, arXiv:2006.11239, equations 6 and 7 and Algorithm 2, between the timesteps of any
/// schedule; with variances that the denoiser predicts, Nichol and Dhariwal 2021, arXiv:2102.09672,
/// equation 15. As diffusers' `DDPMScheduler`, except that `fixed_large_log` is `fixed_large`: there
/// it isn't a number.
public struct DDPMScheduler: Scheduler {
  /// The variance of the noise that a step adds: `variance_type`.
  public enum VarianceType: String, CaseIterable, Hashable, Sendable {
    /// β̃, which is right where all pictures are one.
    case fixedSmall = "fixed_small"
    /// The same, by way of its logarithm.
    case fixedSmallLog = "fixed_small_log"
    /// β, which is right where pictures are noise.
    case fixedLarge = "fixed_large"
    /// The same, by way of its logarithm.
    case fixedLargeLog = "fixed_large_log"
    /// The denoiser gives it, in as many channels again.
    case learned
    /// The denoiser says where its logarithm lies between the two, from −1 to 1.
    case learnedRange = "learned_range"
  }

  /// The process that the denoiser was trained with.
  public let schedule: NoiseSchedule
  private let configuration: SchedulerConfiguration

  /// The scheduler of a configuration.
  ///
  /// - Throws: ``SchedulerError`` where a setting is out of range.
  public init(_ configuration: SchedulerConfiguration = .init(.ddpm)) throws(SchedulerError) {
    schedule = try configuration.noiseSchedule()
    self.configuration = configuration
  }

  /// What the denoiser says.
  public var predictionType: PredictionType { configuration.predictionType }

  /// The steps from noise to picture.
  public func start(steps: Int) throws(SchedulerError) -> Sampling {
    Sampling(
      self,
      steps: try configuration.steps(
        steps, of: schedule, result: NoiseLevel(signal: 1, noise: 0)))
  }

  /// x' = (√ᾱ'·β/(1 − ᾱ))·x₀ + (√α·(1 − ᾱ')/(1 − ᾱ))·x + √variance·n, and no n at timestep 0.
  public func step(
    _ output: Tensor, at step: SamplingStep, sample: Tensor, history: inout SamplingHistory,
    noise: () -> Tensor
  ) -> SchedulerOutput {
    let channels = sample.shape[-1]
    let isLearned = [.learned, .learnedRange].contains(configuration.varianceType)
    let prediction = isLearned ? output.channels(0..<channels) : output
    let original = configuration.clipped(
      predictionType.original(prediction, sample: sample, at: step.level))
    let ratio = step.level.signal / step.next.signal
    let (alpha, beta) = (ratio * ratio, 1 - ratio * ratio)
    let (old, new) = (step.level.noise * step.level.noise, step.next.noise * step.next.noise)
    let mean = combination([
      (step.next.signal * beta / old, original), (alpha.squareRoot() * new / old, sample),
    ])
    guard step.timestep > 0 else {
      return SchedulerOutput(previousSample: mean, predictedOriginal: original)
    }
    let small = max(new / old * beta, 1e-20)
    let variance =
      isLearned ? output.channels(channels..<2 * channels) : Tensor(zeros: sample.shape)
    let previous: Tensor
    switch configuration.varianceType {
    case .fixedSmall, .fixedSmallLog: previous = mean + noise() * Float(small.squareRoot())
    case .fixedLarge, .fixedLargeLog: previous = mean + noise() * Float(beta.squareRoot())
    case .learned: previous = mean + variance.squareRoot() * noise()
    case .learnedRange:
      let (low, high) = (log(small), log(beta))
      let logarithm = variance.affine(
        scale: Float((high - low) / 2), offset: Float((high + low) / 2))
      previous = mean + logarithm.exp(scale: 0.5) * noise()
    }
    return SchedulerOutput(previousSample: previous, predictedOriginal: original)
  }
}
