public import Tensors

/// A way from noise to a picture with a denoiser, a few noise levels at a time.
///
/// ```swift
/// var sampling = try scheduler.start(steps: 20)
/// var x = noise * sampling.initialNoiseSigma
/// for step in sampling.steps {
///   let prediction = denoiser(step.scaled(x), step.timestep)
///   x = sampling.step(prediction, at: step, sample: x, using: &random).previousSample
/// }
/// ```
///
/// To add one, write the levels it goes through and the formula of a step in a file, and give it a
/// case of ``SchedulerConfiguration/ClassName``.
public protocol Scheduler: Sendable {
  /// What the denoiser says.
  var predictionType: PredictionType { get }

  /// The steps from noise to picture.
  ///
  /// - Parameter steps: how many levels with noise to go through.
  /// - Returns: a sampling at its beginning.
  /// - Throws: ``SchedulerError/steps(_:reason:)`` where there can't be so many.
  func start(steps: Int) throws(SchedulerError) -> Sampling

  /// One step: the sample at the next level.
  ///
  /// Loops call ``Sampling/step(_:at:sample:noise:)``, which keeps the history.
  ///
  /// - Parameters:
  ///   - output: what the denoiser says about the sample.
  ///   - step: one of the steps of a sampling.
  ///   - sample: x, of the step's level.
  ///   - history: what earlier steps have left, and what this one leaves.
  ///   - noise: standard normal numbers of the sample's shape, new ones each time; called only where
  ///     the step adds noise.
  /// - Returns: the sample at the step's `next` level, and x₀ as it looks from here.
  func step(
    _ output: Tensor, at step: SamplingStep, sample: Tensor, history: inout SamplingHistory,
    noise: () -> Tensor
  ) -> SchedulerOutput
}

/// What a step gives.
public struct SchedulerOutput: Sendable {
  /// The sample at the next, less noisy level.
  public let previousSample: Tensor
  /// The picture without noise as it looks from here, for previews.
  public let predictedOriginal: Tensor
}

/// A step from one noise level to the next.
public struct SamplingStep: Hashable, Sendable {
  /// Which of the steps it is, from 0.
  public let index: Int
  /// How many steps there are.
  public let count: Int
  /// The time that the denoiser is told.
  public let timestep: Double
  /// The level of the sample before the step.
  public let level: NoiseLevel
  /// The level of the sample after it; that of the next step, or of the result.
  public let next: NoiseLevel
  /// What the sample is multiplied with for the denoiser.
  public let inputScale: Double
  /// Whether it goes again, better, over the way of the step before (Heun's method).
  public let isCorrection: Bool

  /// Steps from level to level.
  ///
  /// - Parameters:
  ///   - timesteps: what the denoiser is told at each level but the last.
  ///   - levels: the noisiest first; one more than there are timesteps.
  ///   - normalizesInput: whether the denoiser wants samples of variance 1.
  /// - Returns: as many as there are timesteps.
  static func steps(
    timesteps: [Double], levels: [NoiseLevel], normalizesInput: Bool = false
  ) -> [SamplingStep] {
    timesteps.indices.map { index in
      SamplingStep(
        index: index, count: timesteps.count, timestep: timesteps[index], level: levels[index],
        next: levels[index + 1], inputScale: normalizesInput ? levels[index].normalizer : 1,
        isCorrection: false)
    }
  }

  /// The sample as the denoiser wants it: diffusers' `scale_model_input`.
  public func scaled(_ sample: Tensor) -> Tensor {
    inputScale == 1 ? sample : sample * Float(inputScale)
  }

  /// A picture with the noise of this step's level.
  ///
  /// To begin with a picture instead of noise (SDEdit: Meng et al. 2021, arXiv:2108.01073), and to
  /// keep what a mask protects.
  ///
  /// - Parameters:
  ///   - original: x₀.
  ///   - noise: ε, standard normal, of the same shape.
  /// - Returns: a sample of the same shape.
  public func addNoise(to original: Tensor, noise: Tensor) -> Tensor {
    level.addNoise(to: original, noise: noise)
  }
}

/// What multistep methods remember.
public struct SamplingHistory: Sendable {
  /// What was predicted at a level.
  struct Prediction: Sendable {
    let level: NoiseLevel
    let value: Tensor
  }

  /// The last predictions, the newest last.
  var predictions: [Prediction] = []
  /// The sample that the last step began with.
  var sample: Tensor?
  /// The order of the last step.
  var order = 0

  /// The history before the first step.
  public init() {}

  /// Adds a prediction, and forgets those before the last `count`.
  mutating func append(_ value: Tensor, at level: NoiseLevel, keeping count: Int) {
    predictions.append(Prediction(level: level, value: value))
    predictions.removeFirst(max(predictions.count - count, 0))
  }
}

/// A sampling under way: its steps, and what multistep methods remember of those that are done.
///
/// It is a value: a copy goes its own way from where it was taken.
public struct Sampling: Sendable {
  /// The scheduler that it follows.
  public let scheduler: any Scheduler
  /// The steps in order, the noisiest first.
  public let steps: [SamplingStep]
  /// What standard normal noise is multiplied with, to begin: diffusers' `init_noise_sigma`.
  public let initialNoiseSigma: Float
  private var history = SamplingHistory()

  init(_ scheduler: any Scheduler, steps: [SamplingStep], initialNoiseSigma: Double = 1) {
    self.scheduler = scheduler
    self.steps = steps
    self.initialNoiseSigma = Float(initialNoiseSigma)
  }

  /// The last steps only, to change a picture rather than to make one.
  ///
  /// Begin with ``SamplingStep/addNoise(to:noise:)`` of the first of them.
  ///
  /// - Parameter strength: how much of the way, in 0…1: nothing to all, rounded down, as diffusers
  ///   does.
  /// - Returns: the end of ``steps``.
  public func steps(strength: Double) -> ArraySlice<SamplingStep> {
    let starts = steps.filter { !$0.isCorrection }
    let count = Int(Double(starts.count) * min(max(strength, 0), 1))
    guard count > 0 else { return [] }
    return steps[starts[starts.count - count].index...]
  }

  /// The sample at the next level.
  ///
  /// - Parameters:
  ///   - output: what the denoiser says about `step.scaled(sample)` at `step.timestep`.
  ///   - step: the next of ``steps``.
  ///   - sample: x, of the step's level.
  ///   - noise: standard normal numbers of the sample's shape, new ones each time; called only where
  ///     the step adds noise.
  /// - Returns: the sample at the step's `next` level, and x₀ as it looks from here.
  public mutating func step(
    _ output: Tensor, at step: SamplingStep, sample: Tensor, noise: () -> Tensor
  ) -> SchedulerOutput {
    scheduler.step(output, at: step, sample: sample, history: &history, noise: noise)
  }

  /// The sample at the next level; `source` gives the noise of all pictures.
  public mutating func step(
    _ output: Tensor, at step: SamplingStep, sample: Tensor, using source: inout some RandomSource
  ) -> SchedulerOutput {
    self.step(output, at: step, sample: sample) {
      Tensor.randomNormal(shape: sample.shape, using: &source)
    }
  }

  /// The sample at the next level, with a source for each picture, so that what becomes of a
  /// picture doesn't depend on the others.
  ///
  /// - Precondition: there are as many sources as the sample `[N, …]` has images.
  public mutating func step<Source: RandomSource>(
    _ output: Tensor, at step: SamplingStep, sample: Tensor, using sources: inout [Source]
  ) -> SchedulerOutput {
    self.step(output, at: step, sample: sample) {
      Tensor.randomNormal(shape: sample.shape, using: &sources)
    }
  }
}

extension Tensor {
  /// Independent numbers from the standard normal distribution, those of each image from its own
  /// source.
  ///
  /// - Precondition: there are as many sources as the shape `[N, …]` has images.
  public static func randomNormal<Source: RandomSource>(
    shape: Shape, using sources: inout [Source]
  ) -> Tensor {
    precondition(
      shape.rank > 0 && shape[0] == sources.count, "\(sources.count) sources for \(shape)")
    let count = shape.scalarCount / max(sources.count, 1)
    return Tensor(
      sources.indices.flatMap { sources[$0].normals(count: count) }, shape: shape)
  }
}
