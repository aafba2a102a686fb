/// The schedulers that can be chosen by name: `--scheduler`.
public enum SchedulerName: String, CaseIterable, Hashable, Sendable {
  /// Ancestral sampling.
  case ddpm
  /// Implicit models.
  case ddim
  /// Euler's method.
  case euler
  /// Euler's method with noise.
  case eulerAncestral = "euler-a"
  /// Heun's method.
  case heun
  /// DPM-Solver++ of second order.
  case dpmSolver2M = "dpm++2m"
  /// Its stochastic variant.
  case dpmSolver2MStochastic = "dpm++2m-sde"
  /// DPM-Solver++ of third order.
  case dpmSolver3M = "dpm++3m"
  /// The unified predictor and corrector.
  case uniPC = "unipc"
  /// Euler's method for flow matching.
  case flowEuler = "flow-euler"

  /// The scheduler of this name.
  ///
  /// - Throws: ``SchedulerError/unknownName(_:)`` where there is none.
  public init(named name: String) throws(SchedulerError) {
    guard let scheduler = SchedulerName(rawValue: name) else { throw .unknownName(name) }
    self = scheduler
  }

  /// What it is good for, in a line.
  public var explanation: String {
    switch self {
    case .ddpm: "ancestral sampling, as trained: needs hundreds of steps, and adds noise at each"
    case .ddim: "deterministic, first order: 50 steps; the same noise gives the same picture"
    case .euler: "deterministic, first order, over noise levels: 20 to 50 steps"
    case .eulerAncestral: "first order, adds noise at each step: varied pictures, 20 to 50 steps"
    case .heun: "deterministic, second order, runs the model twice a step: 15 to 30 steps"
    case .dpmSolver2M: "deterministic, second order, runs the model once a step: 15 to 25 steps"
    case .dpmSolver2MStochastic: "second order, adds noise at each step: 20 to 40 steps"
    case .dpmSolver3M: "deterministic, third order: 15 to 30 steps, for models without guidance"
    case .uniPC: "deterministic, second order with correction: good from 8 to 10 steps on"
    case .flowEuler: "deterministic, first order, for models of flow matching: 20 to 50 steps"
    }
  }

  /// The class that does it.
  public var className: SchedulerConfiguration.ClassName {
    switch self {
    case .ddpm: .ddpm
    case .ddim: .ddim
    case .euler: .euler
    case .eulerAncestral: .eulerAncestral
    case .heun: .heun
    case .dpmSolver2M, .dpmSolver2MStochastic, .dpmSolver3M: .dpmSolverMultistep
    case .uniPC: .uniPCMultistep
    case .flowEuler: .flowMatchEuler
    }
  }

  /// The settings with which this scheduler samples a model that was trained with others.
  ///
  /// What was trained is kept: the timesteps, β, what the model predicts, clipping; and the spacing
  /// of timesteps, as diffusers' `from_config` does.
  ///
  /// - Parameter training: the model's own settings.
  /// - Returns: settings to make the scheduler with.
  /// - Throws: ``SchedulerError/contradiction(_:)`` where the model is one of flow matching and the
  ///   scheduler isn't for these, or the other way round.
  public func configuration(
    forModelTrainedWith training: SchedulerConfiguration
  ) throws(SchedulerError) -> SchedulerConfiguration {
    var result = training.className == className ? training : SchedulerConfiguration(className)
    result.numTrainTimesteps = training.numTrainTimesteps
    result.betaStart = training.betaStart
    result.betaEnd = training.betaEnd
    result.betaSchedule = training.betaSchedule
    result.trainedBetas = training.trainedBetas
    result.rescaleBetasZeroSNR = training.rescaleBetasZeroSNR
    result.predictionType = training.predictionType
    result.timestepSpacing = training.timestepSpacing
    result.stepsOffset = training.stepsOffset
    result.clipSample = training.clipSample
    result.clipSampleRange = training.clipSampleRange
    let isFlow = training.className == .flowMatchEuler || training.useFlowSigmas
    let suitsFlow = [.flowMatchEuler, .dpmSolverMultistep, .uniPCMultistep].contains(className)
    guard isFlow ? suitsFlow : className != .flowMatchEuler else {
      throw .contradiction(
        isFlow
          ? "\(rawValue) can't sample a model of flow matching; choose flow-euler, dpm++2m or unipc"
          : "flow-euler samples models of flow matching only; choose another scheduler")
    }
    if isFlow, className != .flowMatchEuler {
      result.useFlowSigmas = true
      result.flowShift = training.useFlowSigmas ? training.flowShift : training.shift
    }
    switch self {
    case .dpmSolver2M: (result.algorithmType, result.solverOrder) = (.dpmSolverPlusPlus, 2)
    case .dpmSolver2MStochastic:
      (result.algorithmType, result.solverOrder) = (.stochasticDPMSolverPlusPlus, 2)
    case .dpmSolver3M: (result.algorithmType, result.solverOrder) = (.dpmSolverPlusPlus, 3)
    default: break
    }
    return result
  }
}
