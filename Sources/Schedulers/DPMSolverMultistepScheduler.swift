public import Tensors

/// DPM-Solver and DPM-Solver++ of first, second and third order, multistep, and their stochastic
/// variants.
///
/// Lu et al. 2022, "DPM-Solver", arXiv:2206.00927, and "DPM-Solver++", arXiv:2211.01095: 2M is
/// Algorithm 2, 3M appendix B, the stochastic ones appendix C. As diffusers'
/// `DPMSolverMultistepScheduler`; a step of no length leaves the sample as it is.
public struct DPMSolverMultistepScheduler: Scheduler {
  /// Which equation is solved: `algorithm_type`.
  public enum Algorithm: String, CaseIterable, Hashable, Sendable {
    /// The integral over predicted noise.
    case dpmSolver = "dpmsolver"
    /// The integral over predicted pictures, which bears large guidance.
    case dpmSolverPlusPlus = "dpmsolver++"
    /// The stochastic equation, over predicted noise.
    case stochasticDPMSolver = "sde-dpmsolver"
    /// The stochastic equation, over predicted pictures.
    case stochasticDPMSolverPlusPlus = "sde-dpmsolver++"

    /// Whether pictures rather than noise are integrated over.
    var predictsOriginal: Bool {
      self == .dpmSolverPlusPlus || self == .stochasticDPMSolverPlusPlus
    }
  }

  /// The process that the denoiser was trained with.
  public let schedule: NoiseSchedule
  private let configuration: SchedulerConfiguration

  /// The scheduler of a configuration.
  ///
  /// - Throws: ``SchedulerError`` where a setting is out of range, or settings exclude each other.
  public init(
    _ configuration: SchedulerConfiguration = .init(.dpmSolverMultistep)
  ) throws(SchedulerError) {
    schedule = try configuration.noiseSchedule()
    let algorithm = configuration.algorithmType
    if configuration.finalSigmasType == .zero, !algorithm.predictsOriginal {
      throw .contradiction(
        "algorithm_type \(algorithm.rawValue) can't end without noise; set final_sigmas_type to "
          + "sigma_min, or algorithm_type to dpmsolver++")
    }
    if algorithm == .stochasticDPMSolver, configuration.solverOrder > 2 {
      throw .contradiction(
        "algorithm_type sde-dpmsolver has no third order; set solver_order to 2")
    }
    self.configuration = configuration
  }

  /// What the denoiser says.
  public var predictionType: PredictionType { configuration.predictionType }

  /// The steps from noise to picture.
  public func start(steps: Int) throws(SchedulerError) -> Sampling {
    try SigmaPlan(multistep: configuration, schedule: schedule, steps: steps, isUniPC: false)
      .preservingSampling(self, isFlow: configuration.useFlowSigmas)
  }

  /// The order of a step: that of the first ones and, in short samplings, of the last ones is lower.
  private func order(of step: SamplingStep, known: Int) -> Int {
    let left = step.count - step.index
    let isShort = configuration.lowerOrderFinal && step.count < 15
    if left == 1, configuration.eulerAtFinal || isShort || step.next.noise == 0 { return 1 }
    let order = min(configuration.solverOrder, known)
    return left == 2 && isShort ? min(order, 2) : order
  }

  /// x' = a·x + b₀·m₀ + b₁·m₁ + b₂·m₂ + c·n, where m are predictions, the newest first.
  public func step(
    _ output: Tensor, at step: SamplingStep, sample: Tensor, history: inout SamplingHistory,
    noise: () -> Tensor
  ) -> SchedulerOutput {
    let original = predictionType.original(output, sample: sample, at: step.level)
    let prediction =
      configuration.algorithmType.predictsOriginal
      ? original : predictionType.noise(output, sample: sample, at: step.level)
    history.append(prediction, at: step.level, keeping: configuration.solverOrder)
    let newest = history.predictions.reversed().prefix(
      order(of: step, known: history.predictions.count))
    let factors = DPMSolverFactors(
      configuration.algorithmType, usesHeun: configuration.solverType == .heun,
      from: newest.map(\.level), to: step.next)
    var terms = [(factors.sample, sample)]
    terms += zip(factors.predictions, newest).map { ($0, $1.value) }
    if factors.noise > 0 { terms.append((factors.noise, noise())) }
    return SchedulerOutput(previousSample: combination(terms), predictedOriginal: original)
  }
}
