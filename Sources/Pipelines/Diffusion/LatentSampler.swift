public import Models
public import Schedulers
public import Tensors

/// From noise to latents with a denoiser, step by step.
///
/// The latents are in the diffusion model's space.
public struct LatentSampler: Sendable {
  /// Estimates noise, latents or velocities.
  public let denoiser: any Denoiser
  /// The scheduler that samples.
  public let scheduler: any Scheduler
  /// How many noise levels are gone through.
  public let stepCount: Int
  /// What classifier-free guidance does.
  public let guidance: Guidance

  /// How strongly the class is followed.
  public struct Guidance: Sendable, Hashable {
    /// w of ê = e₀ + w·(e − e₀), with the estimates e for the class and e₀ for none; 1 for no
    /// guidance.
    ///
    /// Ho and Salimans 2022, arXiv:2207.12598, in the form that diffusers uses.
    public var scale: Double
    /// The label that stands for no class; nil if the denoiser knows none.
    public var nullLabel: Int?
    /// The noise levels at which it works, as σ = noise ÷ signal; nil for all.
    ///
    /// At others the estimate is that for the class, which takes half of the time. Guidance where there
    /// is much noise makes pictures alike: Kynkäänniemi et al. 2024, arXiv:2404.07724.
    public var interval: ClosedRange<Double>?

    /// Guidance.
    public init(
      scale: Double = 1, nullLabel: Int? = nil, interval: ClosedRange<Double>? = nil
    ) {
      self.scale = scale
      self.nullLabel = nullLabel
      self.interval = interval
    }

    /// Whether it works at a level.
    fileprivate func works(at level: NoiseLevel) -> Bool {
      scale != 1 && interval?.contains(level.sigma) ?? true
    }
  }

  /// A sampler.
  public init(
    _ denoiser: any Denoiser, scheduler: any Scheduler, stepCount: Int, guidance: Guidance
  ) {
    self.denoiser = denoiser
    self.scheduler = scheduler
    self.stepCount = stepCount
    self.guidance = guidance
  }

  /// How many steps there are: more than ``stepCount`` where a scheduler takes two for a level.
  ///
  /// - Parameter strength: how much of the way is gone; nil for all of it, from noise.
  /// - Returns: the number of steps, each of which is reported.
  /// - Throws: `SchedulerError` where there can't be so many.
  public func count(strength: Double? = nil) throws(SchedulerError) -> Int {
    let sampling = try scheduler.start(steps: stepCount)
    return strength.map { sampling.steps(strength: $0).count } ?? sampling.steps.count
  }

  /// What a step has led to.
  public struct Progress: Sendable {
    /// The step that was made.
    public let step: SamplingStep
    /// The latents after it, with the noise of its `next` level.
    public let sample: Tensor
    /// The latents without noise, as they look from there.
    public let predictedOriginal: Tensor
  }

  /// Samples latents.
  ///
  /// - Parameters:
  ///   - noise: standard normal, `[N, H, W, C]`.
  ///   - labels: N of them; nil for a denoiser without classes.
  ///   - further: further noise of the same shape, new each time.
  ///   - adjust: what becomes of the latents before the first step and after each: the level of
  ///     their noise and themselves.
  ///   - report: called after each step; false ends the sampling.
  /// - Returns: `[N, H, W, C]`; nil if it was ended.
  /// - Throws: `SchedulerError` where there can't be so many steps.
  public func latents(
    from noise: Tensor, labels: [Int]?, further: () -> Tensor,
    adjust: (NoiseLevel, Tensor) -> Tensor = { $1 }, report: (Progress) -> Bool = { _ in true }
  ) throws(SchedulerError) -> Tensor? {
    let sampling = try scheduler.start(steps: stepCount)
    let start = noise * sampling.initialNoiseSigma
    return latents(
      sampling, sampling.steps[...], from: start, labels: labels, further: further, adjust: adjust,
      report: report)
  }

  /// Changes latents: gives them the noise of a step in the middle, and goes on from there.
  ///
  /// Meng et al. 2021 (SDEdit), arXiv:2108.01073.
  ///
  /// - Parameters:
  ///   - original: without noise, `[N, H, W, C]`.
  ///   - strength: how much of the way is gone, 0…1.
  ///   - noise: standard normal, of the same shape.
  ///   - labels: N of them; nil for a denoiser without classes.
  ///   - further: further noise of the same shape, new each time.
  ///   - adjust: what becomes of the latents before the first step and after each.
  ///   - report: called after each step; false ends the sampling.
  /// - Returns: of the same shape; nil if it was ended.
  /// - Throws: `SchedulerError` where there can't be so many steps.
  public func latents(
    changing original: Tensor, strength: Double, noise: Tensor, labels: [Int]?,
    further: () -> Tensor, adjust: (NoiseLevel, Tensor) -> Tensor = { $1 },
    report: (Progress) -> Bool = { _ in true }
  ) throws(SchedulerError) -> Tensor? {
    let sampling = try scheduler.start(steps: stepCount)
    let steps = sampling.steps(strength: strength)
    guard let first = steps.first else { return original }
    return latents(
      sampling, steps, from: first.addNoise(to: original, noise: noise), labels: labels,
      further: further, adjust: adjust, report: report)
  }

  private func latents(
    _ start: Sampling, _ steps: ArraySlice<SamplingStep>, from first: Tensor, labels: [Int]?,
    further: () -> Tensor, adjust: (NoiseLevel, Tensor) -> Tensor,
    report: (Progress) -> Bool
  ) -> Tensor? {
    var sampling = start
    guard let level = steps.first?.level else { return first }
    var sample = adjust(level, first)
    for step in steps {
      let output = estimate(step.scaled(sample), at: step, labels: labels)
      let result = sampling.step(output, at: step, sample: sample, noise: further)
      sample = adjust(step.next, result.previousSample)
      let progress = Progress(
        step: step, sample: sample, predictedOriginal: result.predictedOriginal)
      guard report(progress) else { return nil }
    }
    return sample
  }

  /// The denoiser's estimate, guided towards the class.
  ///
  /// Both estimates are made in one run of the denoiser.
  private func estimate(_ sample: Tensor, at step: SamplingStep, labels: [Int]?) -> Tensor {
    let channels = sample.shape[3]
    func output(_ sample: Tensor, _ labels: [Int]?) -> Tensor {
      let output = denoiser(sample, timesteps: [Float(step.timestep)], labels: labels)
      // A denoiser that learned the variance says it behind the mean.
      return output.shape[3] > channels ? output.channels(0..<channels) : output
    }
    guard let labels, let null = guidance.nullLabel, guidance.works(at: step.level) else {
      return output(sample, labels)
    }
    let count = labels.count
    let both = output(
      Tensor.concatenatedImages([sample, sample]),
      labels + [Int](repeating: null, count: count))
    let unconditional = both.images(count..<2 * count)
    return unconditional + (both.images(0..<count) - unconditional) * Float(guidance.scale)
  }
}
