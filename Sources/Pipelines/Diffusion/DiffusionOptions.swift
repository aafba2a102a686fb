public import Schedulers

/// How pictures are sampled.
public struct DiffusionOptions: Sendable {
  /// The number of steps where none is asked for.
  public static let defaultStepCount = 20
  /// The guidance where none is asked for: of the embedded denoiser's samples, those of 2.5 are nearest
  /// to real pictures (by the Fréchet distance).
  public static let defaultGuidance = 2.5

  /// Which way from noise to picture; nil for the model's own.
  public var scheduler: SchedulerName?
  /// How many noise levels it goes through.
  public var stepCount: Int
  /// How strongly the class is followed; 1 for no guidance.
  public var guidance: Double
  /// The noise levels at which it is followed; see ``LatentSampler/Guidance/interval``.
  public var guidanceInterval: ClosedRange<Double>?
  /// Fixes the noise; each picture has a stream of its own.
  public var seed: UInt64
  /// Where noise comes from.
  public var generator: PictureNoise.Generator
  /// The latents' height and width; nil for those that the denoiser was trained with.
  public var size: (height: Int, width: Int)?

  /// Options.
  public init(
    scheduler: SchedulerName? = nil, stepCount: Int = defaultStepCount,
    guidance: Double = defaultGuidance,
    guidanceInterval: ClosedRange<Double>? = nil, seed: UInt64 = 0,
    generator: PictureNoise.Generator = .philox, size: (height: Int, width: Int)? = nil
  ) {
    self.scheduler = scheduler
    self.stepCount = stepCount
    self.guidance = guidance
    self.guidanceInterval = guidanceInterval
    self.seed = seed
    self.generator = generator
    self.size = size
  }
}
