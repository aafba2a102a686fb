/// The settings of a scheduler: `scheduler_config.json`, with diffusers' keys and defaults.
///
/// One type holds those of all classes, so that a model can be sampled with another scheduler than
/// its own; a class reads those it knows.
public struct SchedulerConfiguration: Hashable, Sendable {
  /// The schedulers, as `_class_name` spells them.
  public enum ClassName: String, CaseIterable, Hashable, Sendable {
    /// ``DDPMScheduler``.
    case ddpm = "DDPMScheduler"
    /// ``DDIMScheduler``.
    case ddim = "DDIMScheduler"
    /// ``EulerDiscreteScheduler``.
    case euler = "EulerDiscreteScheduler"
    /// ``EulerAncestralDiscreteScheduler``.
    case eulerAncestral = "EulerAncestralDiscreteScheduler"
    /// ``HeunDiscreteScheduler``.
    case heun = "HeunDiscreteScheduler"
    /// ``DPMSolverMultistepScheduler``.
    case dpmSolverMultistep = "DPMSolverMultistepScheduler"
    /// ``UniPCMultistepScheduler``.
    case uniPCMultistep = "UniPCMultistepScheduler"
    /// ``FlowMatchEulerDiscreteScheduler``.
    case flowMatchEuler = "FlowMatchEulerDiscreteScheduler"
  }

  /// Where the last step ends: `final_sigmas_type`.
  public enum FinalSigma: String, CaseIterable, Hashable, Sendable {
    /// Without noise.
    case zero
    /// At the first timestep of the training.
    case smallest = "sigma_min"
  }

  /// What the denoiser is told: `timestep_type`.
  public enum TimestepType: String, CaseIterable, Hashable, Sendable {
    /// A timestep of the training, or a time between two.
    case discrete
    /// ¼·ln σ, if it predicts v.
    case continuous
  }

  /// The variant of a multistep solver: `solver_type`.
  public enum SolverType: String, CaseIterable, Hashable, Sendable {
    /// DPM-Solver's, and what it takes UniPC's for.
    case midpoint
    /// DPM-Solver's with exact factors.
    case heun
    /// UniPC's with B(h) = h.
    case bh1
    /// UniPC's with B(h) = e^h − 1, and what it takes DPM-Solver's for.
    case bh2
  }

  /// The scheduler.
  public var className: ClassName
  /// The timesteps of the training.
  public var numTrainTimesteps = 1000
  /// β of the first timestep.
  public var betaStart = 1e-4
  /// β of the last timestep.
  public var betaEnd = 0.02
  /// How β grows between them.
  public var betaSchedule = BetaSchedule.linear
  /// β of each timestep, in place of a schedule.
  public var trainedBetas: [Double]?
  /// Whether β is stretched so that nothing is left of the signal at the last timestep.
  public var rescaleBetasZeroSNR = false
  /// What the denoiser says.
  public var predictionType = PredictionType.epsilon
  /// Which timesteps are sampled at.
  public var timestepSpacing = TimestepSpacing.linspace
  /// What is added to leading timesteps.
  public var stepsOffset = 0

  /// Whether predicted pictures are kept within a range; wrong for latents.
  public var clipSample = false
  /// The end of that range, which begins at its negative.
  public var clipSampleRange = 1.0
  /// The noise of DDPM's steps.
  public var varianceType = DDPMScheduler.VarianceType.fixedSmall
  /// Whether DDIM ends without noise, rather than at the first timestep.
  public var setAlphaToOne = true

  /// How noise levels are spread: `use_karras_sigmas`, `use_exponential_sigmas`.
  public var sigmaSpacing = SigmaSpacing.timesteps
  /// The smallest level of a spread; by default the training's.
  public var sigmaMin: Double?
  /// The largest level of a spread; by default the training's.
  public var sigmaMax: Double?
  /// Where the last step ends.
  public var finalSigmasType = FinalSigma.zero
  /// What the denoiser is told.
  public var timestepType = TimestepType.discrete

  /// The order of multistep solvers, 1 to 3.
  public var solverOrder = 2
  /// The equation that DPM-Solver solves.
  public var algorithmType = DPMSolverMultistepScheduler.Algorithm.dpmSolverPlusPlus
  /// The variant of a multistep solver.
  public var solverType = SolverType.midpoint
  /// Whether the last steps are of lower order: with fewer than 15 steps, or UniPC's always.
  public var lowerOrderFinal = true
  /// Whether DPM-Solver's last step is of first order.
  public var eulerAtFinal = false
  /// DPM-Solver leaves out timesteps whose ln(√ᾱ/√(1 − ᾱ)) is below; nil for none.
  ///
  /// Cosine schedules need it: −5.1.
  public var lambdaMinClipped: Double?
  /// Whether multistep solvers go through the levels of flow matching.
  public var useFlowSigmas = false
  /// How far they move these towards noise.
  public var flowShift = 1.0
  /// Whether UniPC integrates over pictures rather than noise.
  public var predictX0 = true
  /// The steps behind which UniPC doesn't correct.
  public var disableCorrector: [Int] = []

  /// How far flow matching's levels are moved towards noise.
  public var shift = 1.0
  /// Whether the shift depends on the number of tokens.
  public var useDynamicShifting = false
  /// The logarithm of the shift for `baseImageSeqLen` tokens.
  public var baseShift = 0.5
  /// The logarithm of the shift for `maxImageSeqLen` tokens.
  public var maxShift = 1.15
  /// A number of tokens.
  public var baseImageSeqLen = 256
  /// A larger number of tokens.
  public var maxImageSeqLen = 4096

  /// The defaults of a class of diffusers.
  public init(_ className: ClassName) {
    self.className = className
    switch className {
    case .ddpm, .ddim:
      clipSample = true
      timestepSpacing = .leading
    case .heun:
      betaStart = 0.00085
      betaEnd = 0.012
    case .uniPCMultistep: solverType = .bh2
    case .flowMatchEuler: predictionType = .flow
    case .euler, .eulerAncestral, .dpmSolverMultistep: break
    }
  }

  /// The scheduler with these settings.
  ///
  /// - Throws: ``SchedulerError`` where a setting is out of range, or settings exclude each other.
  public func scheduler() throws(SchedulerError) -> any Scheduler {
    switch className {
    case .ddpm: try DDPMScheduler(self)
    case .ddim: try DDIMScheduler(self)
    case .euler: try EulerDiscreteScheduler(self)
    case .eulerAncestral: try EulerAncestralDiscreteScheduler(self)
    case .heun: try HeunDiscreteScheduler(self)
    case .dpmSolverMultistep: try DPMSolverMultistepScheduler(self)
    case .uniPCMultistep: try UniPCMultistepScheduler(self)
    case .flowMatchEuler: try FlowMatchEulerDiscreteScheduler(self)
    }
  }
}
