import Glibc
public import Tensors

/// The unified predictor and corrector, of first to third order.
///
/// Zhao et al. 2023, "UniPC", arXiv:2302.04867, Algorithms 5 to 8: the corrector goes over the last
/// step again with the new prediction, and costs no run of the denoiser. As diffusers'
/// `UniPCMultistepScheduler`; the step to no noise is of first order, whatever the settings.
public struct UniPCMultistepScheduler: Scheduler {
  /// The process that the denoiser was trained with.
  public let schedule: NoiseSchedule
  private let configuration: SchedulerConfiguration

  /// The scheduler of a configuration.
  ///
  /// - Throws: ``SchedulerError`` where a setting is out of range, or settings exclude each other.
  public init(
    _ configuration: SchedulerConfiguration = .init(.uniPCMultistep)
  ) throws(SchedulerError) {
    schedule = try configuration.noiseSchedule()
    if configuration.finalSigmasType == .zero, !configuration.predictX0 {
      throw .contradiction(
        "UniPC can't end without noise where predict_x0 is false; set final_sigmas_type to "
          + "sigma_min, or predict_x0 to true")
    }
    self.configuration = configuration
  }

  /// What the denoiser says.
  public var predictionType: PredictionType { configuration.predictionType }

  /// The steps from noise to picture.
  public func start(steps: Int) throws(SchedulerError) -> Sampling {
    try SigmaPlan(multistep: configuration, schedule: schedule, steps: steps, isUniPC: true)
      .preservingSampling(self, isFlow: configuration.useFlowSigmas)
  }

  /// UniC from the last sample to this one, then UniP from here to the next.
  public func step(
    _ output: Tensor, at step: SamplingStep, sample: Tensor, history: inout SamplingHistory,
    noise: () -> Tensor
  ) -> SchedulerOutput {
    let original = predictionType.original(output, sample: sample, at: step.level)
    let prediction =
      configuration.predictX0
      ? original : predictionType.noise(output, sample: sample, at: step.level)
    var sample = sample
    if let last = history.sample, !configuration.disableCorrector.contains(step.index - 1) {
      sample = update(
        last, history.predictions.suffix(history.order), to: step.level, corrector: prediction)
    }
    history.append(prediction, at: step.level, keeping: configuration.solverOrder)
    let left = configuration.lowerOrderFinal ? step.count - step.index : .max
    history.order =
      step.next.noise == 0
      ? 1 : min(configuration.solverOrder, left, history.predictions.count)
    history.sample = sample
    return SchedulerOutput(
      previousSample: update(
        sample, history.predictions.suffix(history.order), to: step.next, corrector: nil),
      predictedOriginal: original)
  }

  /// A step of UniP, or of UniC where the prediction at its end is known.
  private func update(
    _ sample: Tensor, _ known: ArraySlice<SamplingHistory.Prediction>, to: NoiseLevel,
    corrector: Tensor?
  ) -> Tensor {
    let newest = Array(known.reversed())
    let factors = UniPCFactors(
      from: newest.map(\.level), to: to, predictsOriginal: configuration.predictX0,
      usesLinearB: configuration.solverType == .bh1, corrects: corrector != nil)
    var terms = [(factors.sample, sample)]
    terms += zip(factors.predictions, newest).map { ($0, $1.value) }
    if let corrector { terms.append((factors.corrector, corrector)) }
    return combination(terms)
  }
}

/// What a step of UniPC multiplies the sample and the predictions with.
struct UniPCFactors {
  /// Of x.
  let sample: Double
  /// Of the predictions, the newest first.
  let predictions: [Double]
  /// Of the prediction at the step's end.
  let corrector: Double

  /// - Parameters:
  ///   - from: the levels of the predictions, the newest first; as many as the order.
  ///   - to: the level that is wanted.
  ///   - predictsOriginal: whether predictions are of pictures rather than noise.
  ///   - usesLinearB: whether B(h) is h rather than e^h − 1.
  ///   - corrects: whether the prediction at `to` is known.
  init(
    from: [NoiseLevel], to: NoiseLevel, predictsOriginal: Bool, usesLinearB: Bool, corrects: Bool
  ) {
    let start = from[0]
    let h = (to.logSNR - start.logSNR) * (predictsOriginal ? -1 : 1)
    guard h != 0 else {
      (sample, predictions, corrector) = (1, from.map { _ in 0 }, 0)
      return
    }
    let (kept, way) =
      predictsOriginal
      ? (to.noise / start.noise, to.signal) : (to.signal / start.signal, to.noise)
    let scale = way * (usesLinearB ? h : expm1(h))
    let distances = from.dropFirst().map {
      ($0.logSNR - start.logSNR) / (to.logSNR - start.logSNR)
    }
    let weights = Self.weights(
      h: h, distances: corrects ? distances + [1] : distances, usesLinearB: usesLinearB)
    // D₁ = (m − m₀)/r for each prediction but the newest.
    let slopes = zip(weights, distances).map { -scale * $0 / $1 }
    corrector = corrects ? -scale * weights[distances.count] : 0
    sample = kept
    predictions = [-way * expm1(h) - slopes.reduce(0, +) - corrector] + slopes
  }

  /// ρ with Σⱼ ρⱼ·rⱼ^(i−1) = i!·φᵢ₊₁(h)·h/B(h) for i = 1, 2, …; ½ where there is one.
  private static func weights(h: Double, distances: [Double], usesLinearB: Bool) -> [Double] {
    guard distances.count > 1 else { return distances.map { _ in 0.5 } }
    let b = usesLinearB ? h : expm1(h)
    var rows: [[Double]] = []
    var phi = expm1(h) / h - 1
    var factorial = 1.0
    for power in distances.indices {
      rows.append(distances.map { pow($0, Double(power)) } + [phi * factorial / b])
      factorial *= Double(power + 2)
      phi = phi / h - 1 / factorial
    }
    return solved(rows)
  }

  /// The solution of linear equations, each its coefficients and its right side.
  ///
  /// - Precondition: there is one. These are Vandermonde's, of distances that differ.
  private static func solved(_ equations: [[Double]]) -> [Double] {
    var rows = equations
    let count = rows.count
    for column in 0..<count {
      let pivot =
        (column..<count).max { abs(rows[$0][column]) < abs(rows[$1][column]) } ?? column
      rows.swapAt(column, pivot)
      for row in 0..<count where row != column {
        let factor = rows[row][column] / rows[column][column]
        for index in column...count { rows[row][index] -= factor * rows[column][index] }
      }
    }
    return rows.indices.map { rows[$0][count] / rows[$0][$0] }
  }
}
