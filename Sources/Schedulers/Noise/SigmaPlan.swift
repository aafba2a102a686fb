/// The noise levels σ that a sampler goes through, and the time that the denoiser is told at each.
struct SigmaPlan {
  /// The time at each level but the last.
  var timesteps: [Double]
  /// The levels, the largest first, and where the last step ends.
  let sigmas: [Double]
  /// What standard normal noise is multiplied with, to begin at the first level.
  let initialNoiseSigma: Double

  /// The plan of samplers that end at the first timestep: Euler's method and Heun's.
  ///
  /// - Throws: ``SchedulerError/steps(_:reason:)`` where the schedule hasn't so many timesteps.
  init(
    _ configuration: SchedulerConfiguration, schedule: NoiseSchedule, steps: Int
  ) throws(SchedulerError) {
    let table = SigmaTable(schedule)
    timesteps = try configuration.timesteps(steps)
    let given = timesteps.map { table.sigma(at: $0) }
    var sigmas = given
    if let spread = try Self.spread(
      configuration, from: given[0], to: given[steps - 1], count: steps)
    {
      sigmas = spread
      timesteps = spread.map { table.timestep(ofSigma: $0) }
    }
    let largest = sigmas[0]
    initialNoiseSigma =
      configuration.timestepSpacing == .leading
      ? (largest * largest + 1).squareRoot() : largest
    self.sigmas = sigmas + [configuration.finalSigma(of: table)]
  }

  /// The plan of multistep solvers, whose times are whole numbers.
  ///
  /// - Parameters:
  ///   - configuration: the settings.
  ///   - schedule: the process that the denoiser was trained with.
  ///   - steps: how many.
  ///   - isUniPC: whether it is UniPC's rather than DPM-Solver's: they round differently.
  /// - Throws: ``SchedulerError/steps(_:reason:)`` where the schedule hasn't so many timesteps.
  init(
    multistep configuration: SchedulerConfiguration, schedule: NoiseSchedule, steps: Int,
    isUniPC: Bool
  ) throws(SchedulerError) {
    let table = SigmaTable(schedule)
    initialNoiseSigma = 1
    if configuration.useFlowSigmas {
      let flow = Self.flowSigmas(configuration, count: steps, isUniPC: isUniPC)
      timesteps = flow.map { Self.whole($0 * Double(schedule.count)) }
      let isClean = configuration.finalSigmasType == .zero
      sigmas = flow + [isClean ? 0 : flow[steps - 1]]
      return
    }
    var times = try configuration.multistepTimesteps(steps, of: schedule)
    var sigmas = times.map { table.sigma(at: $0) }
    let (smallest, largest) = (table.sigmas[0], table.sigmas[schedule.count - 1])
    if let spread = try Self.spread(configuration, from: largest, to: smallest, count: steps) {
      sigmas = spread
      let rounds =
        configuration.sigmaSpacing == .karras
        && (isUniPC || configuration.betaSchedule != .cosine)
      times = spread.map { sigma in
        let time = table.timestep(ofSigma: sigma)
        return rounds ? TimestepSpacing.rounded(time) : Self.whole(time)
      }
    }
    timesteps = times
    self.sigmas = sigmas + [configuration.finalSigma(of: table)]
  }

  /// Levels spread as the settings say, between theirs or those of the timesteps; nil where the
  /// timesteps give them.
  private static func spread(
    _ configuration: SchedulerConfiguration, from largest: Double, to smallest: Double, count: Int
  ) throws(SchedulerError) -> [Double]? {
    let (first, last) = (configuration.sigmaMax ?? largest, configuration.sigmaMin ?? smallest)
    guard first > last || count == 1 else {
      throw .contradiction(
        "sigma_min \(last) isn't below sigma_max \(first), the largest level; correct them")
    }
    return configuration.sigmaSpacing.sigmas(from: first, to: last, count: count)
  }

  /// The whole number at or below a time, which may be off by a rounding error.
  private static func whole(_ time: Double) -> Double { (time + 1e-6).rounded(.down) }

  /// The levels of flow matching, from almost 1 down, as DPM-Solver and UniPC choose them.
  private static func flowSigmas(
    _ configuration: SchedulerConfiguration, count: Int, isUniPC: Bool
  ) -> [Double] {
    let smallest = 1 / Double(configuration.numTrainTimesteps)
    let even = evenlySpaced(1, smallest, count + 1)
    let unshifted = isUniPC ? even.dropLast() : even.dropFirst().reversed().map { 1 - $0 }[...]
    // At σ = 1 there is no signal, whose logarithm the solvers take.
    return unshifted.map { min(flowShifted($0, by: configuration.flowShift), 1 - 1e-6) }
  }

  /// The sampling of a process that only adds noise, for denoisers that want variance 1.
  func explodingSampling(_ scheduler: any Scheduler) -> Sampling {
    let steps = SamplingStep.steps(
      timesteps: timesteps, levels: sigmas.map(NoiseLevel.exploding), normalizesInput: true)
    return Sampling(scheduler, steps: steps, initialNoiseSigma: initialNoiseSigma)
  }

  /// The sampling of a process that preserves variance, or of flow matching.
  func preservingSampling(_ scheduler: any Scheduler, isFlow: Bool) -> Sampling {
    let levels = sigmas.map { isFlow ? NoiseLevel.flow(sigma: $0) : .preserving(sigma: $0) }
    return Sampling(scheduler, steps: SamplingStep.steps(timesteps: timesteps, levels: levels))
  }
}

/// A level of flow matching moved towards noise: s·σ/(1 + (s − 1)·σ).
///
/// Esser et al. 2024, arXiv:2403.03206, equation 23.
func flowShifted(_ sigma: Double, by shift: Double) -> Double {
  shift * sigma / (1 + (shift - 1) * sigma)
}
