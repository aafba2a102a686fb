import Tensors

extension SchedulerConfiguration {
  /// The process that the denoiser was trained with.
  ///
  /// - Throws: ``SchedulerError`` where a setting is out of range.
  public func noiseSchedule() throws(SchedulerError) -> NoiseSchedule {
    try validate()
    let schedule =
      trainedBetas.map { NoiseSchedule(betas: $0) }
      ?? NoiseSchedule(betaSchedule, start: betaStart, end: betaEnd, count: numTrainTimesteps)
    guard schedule.alphasCumprod.allSatisfy({ $0 > 1e-30 }) else {
      throw .outOfRange(
        name: "the product of all 1 - beta", value: "almost 0",
        expected: "above 1e-30; lower beta_end or num_train_timesteps")
    }
    return rescaleBetasZeroSNR ? schedule.rescaledToZeroTerminalSNR() : schedule
  }

  /// Predicted pictures within the range that is set, if one is.
  func clipped(_ original: Tensor) -> Tensor {
    guard clipSample else { return original }
    let end = Float(clipSampleRange)
    return original.clamped(to: -end...end)
  }

  /// The level σ at which the last step ends.
  func finalSigma(of table: SigmaTable) -> Double {
    finalSigmasType == .zero ? 0 : table.sigmas[0]
  }

  /// The timesteps of samplers that end at the first one.
  func timesteps(_ steps: Int) throws(SchedulerError) -> [Double] {
    let total = numTrainTimesteps
    guard (1...total).contains(steps) else {
      throw .steps(steps, reason: "there are \(total) timesteps; ask for 1 to \(total)")
    }
    return try checked(
      timestepSpacing.timesteps(steps, of: total, offset: stepsOffset), steps: steps)
  }

  /// The timesteps of multistep solvers.
  func multistepTimesteps(
    _ steps: Int, of schedule: NoiseSchedule
  ) throws(SchedulerError) -> [Double] {
    let total = numTrainTimesteps
    let last =
      lambdaMinClipped.map { limit in
        schedule.sigmas.count { NoiseLevel.preserving(sigma: $0).logSNR >= limit }
      } ?? total
    guard steps >= 1, steps < last else {
      throw .steps(steps, reason: "there are \(last) timesteps; ask for 1 to \(last - 1)")
    }
    let times = timestepSpacing.multistepTimesteps(
      steps, of: total, last: last, offset: stepsOffset)
    return try checked(times, steps: steps)
  }

  /// The timesteps, if the training had them all.
  private func checked(_ timesteps: [Double], steps: Int) throws(SchedulerError) -> [Double] {
    guard let first = timesteps.first, first <= Double(numTrainTimesteps - 1) else {
      throw .steps(
        steps,
        reason: "the first one is beyond the \(numTrainTimesteps) timesteps of the training; ask "
          + "for fewer, or set steps_offset to 0")
    }
    return timesteps
  }

  /// The steps of a process that preserves variance, between whole timesteps.
  func steps(
    _ count: Int, of schedule: NoiseSchedule, result: NoiseLevel
  ) throws(SchedulerError) -> [SamplingStep] {
    let times = try timesteps(count).map(TimestepSpacing.rounded)
    return try steps(at: times, of: schedule, result: result)
  }

  /// The steps of a process that preserves variance at these timesteps.
  func steps(
    at timesteps: [Double], of schedule: NoiseSchedule, result: NoiseLevel
  ) throws(SchedulerError) -> [SamplingStep] {
    guard !timesteps.isEmpty, zip(timesteps, timesteps.dropFirst()).allSatisfy({ $0 > $1 }),
      timesteps.allSatisfy({ $0 >= 0 && $0 <= Double(schedule.count - 1) })
    else {
      throw .steps(
        timesteps.count,
        reason: "timesteps have to fall, and to be between 0 and \(schedule.count - 1)")
    }
    let levels = timesteps.map { schedule.level(at: Int($0)) }
    if predictionType == .epsilon, levels[0].signal == 0 {
      throw .contradiction(
        "prediction_type epsilon says nothing where no signal is left; set "
          + "rescale_betas_zero_snr to false, or use a denoiser that predicts v")
    }
    return SamplingStep.steps(timesteps: timesteps, levels: levels + [result])
  }
}
