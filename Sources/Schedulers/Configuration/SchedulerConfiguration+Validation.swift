extension SchedulerConfiguration {
  /// Checks the settings.
  ///
  /// - Throws: ``SchedulerError`` where one is out of range, or two exclude each other.
  public func validate() throws(SchedulerError) {
    try check("num_train_timesteps", numTrainTimesteps, 1...100_000)
    try check("beta_start", betaStart, Self.betaRange)
    try check("beta_end", betaEnd, Self.betaRange)
    try check("steps_offset", stepsOffset, 0...numTrainTimesteps - 1)
    try check("solver_order", solverOrder, 1...3)
    for (name, value) in [
      ("clip_sample_range", clipSampleRange), ("shift", shift), ("flow_shift", flowShift),
    ]
      + [("sigma_min", sigmaMin), ("sigma_max", sigmaMax)].compactMap({ name, value in
        value.map { (name, $0) }
      })
    {
      try check(name, value, 1e-6...1e6)
    }
    for (name, value) in [("base_shift", baseShift), ("max_shift", maxShift)] {
      try check(name, value, -10...10)
    }
    try check("base_image_seq_len", baseImageSeqLen, 0...1 << 40)
    try check("max_image_seq_len", maxImageSeqLen, baseImageSeqLen + 1...1 << 41)
    if let trainedBetas {
      try check(
        "the count of trained_betas", trainedBetas.count, numTrainTimesteps...numTrainTimesteps)
      for beta in trainedBetas { try check("an entry of trained_betas", beta, Self.betaRange) }
    }
    if let lambdaMinClipped { try check("lambda_min_clipped", lambdaMinClipped, -1e3...1e3) }
    try validateCombinations()
  }

  private func validateCombinations() throws(SchedulerError) {
    if let sigmaMin, let sigmaMax, sigmaMin >= sigmaMax {
      throw .contradiction("sigma_min \(sigmaMin) isn't below sigma_max \(sigmaMax); correct them")
    }
    if useFlowSigmas, sigmaSpacing != .timesteps {
      throw .contradiction(
        "use_flow_sigmas and use_\(sigmaSpacing.rawValue)_sigmas exclude each other; set one to "
          + "false")
    }
  }

  /// From here on 1 − β differs from 1 in float32, so that each timestep is noisier than the last.
  private static let betaRange = 1e-6...0.999999

  private func check<Value: Comparable & CustomStringConvertible>(
    _ name: String, _ value: Value, _ range: ClosedRange<Value>
  ) throws(SchedulerError) {
    guard range.contains(value) else {
      let expected =
        range.lowerBound == range.upperBound
        ? "\(range.lowerBound)" : "between \(range.lowerBound) and \(range.upperBound)"
      throw .outOfRange(name: name, value: value.description, expected: expected)
    }
  }
}
