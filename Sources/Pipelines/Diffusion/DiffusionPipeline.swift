public import Images
import Models
public import Schedulers
import Tensors

/// How pictures are sampled.
public struct DiffusionOptions: Sendable {
  /// Which way from noise to picture; nil for the model's own.
  public var scheduler: SchedulerName?
  /// How many noise levels it goes through.
  public var stepCount: Int
  /// How strongly the class is followed; 1 for no guidance.
  public var guidance: Double
  /// Fixes the noise; each picture has a stream of its own.
  public var seed: UInt64
  /// The latents' height and width; nil for those that the denoiser was trained with.
  public var size: (height: Int, width: Int)?

  /// Options.
  public init(
    scheduler: SchedulerName? = nil, stepCount: Int = 20, guidance: Double = 2, seed: UInt64 = 0,
    size: (height: Int, width: Int)? = nil
  ) {
    self.scheduler = scheduler
    self.stepCount = stepCount
    self.guidance = guidance
    self.seed = seed
    self.size = size
  }
}

/// Noise → latents → pictures.
public struct DiffusionPipeline: Sendable {
  /// Autoencoder, denoiser and scheduler.
  public let model: LatentDiffusionModel

  /// A pipeline of a model.
  public init(_ model: LatentDiffusionModel) {
    self.model = model
  }

  /// How many pictures are computed at once.
  private static var batchSize: Int { 8 }

  /// New pictures.
  ///
  /// Picture k is the same whatever else is asked for.
  ///
  /// - Parameters:
  ///   - count: how many.
  ///   - labels: `count` of them, as places among the model's classes; nil for a model without.
  ///   - options: how.
  /// - Returns: the pictures in order.
  /// - Throws: `SchedulerError` for a scheduler or steps that can't be.
  public func pictures(
    count: Int, labels: [Int]?, options: DiffusionOptions
  ) throws -> [Image] {
    var pictures: [Image] = []
    for start in stride(from: 0, to: count, by: Self.batchSize) {
      let range = start..<min(count, start + Self.batchSize)
      let latents = try latents(range, labels: labels.map { Array($0[range]) }, options: options)
      let decoded = autoencoder.decode(autoencoder.latentScaling.toAutoencoder(latents))
      for index in 0..<range.count { pictures.append(Image(decoded.images(index..<index + 1))) }
    }
    return pictures
  }

  private var autoencoder: any Autoencoder { model.autoencoder.autoencoder }

  private func latents(
    _ range: Range<Int>, labels: [Int]?, options: DiffusionOptions
  ) throws -> Tensor {
    let random = PhiloxRandomSource(seed: options.seed)
    var sources = range.map { random.stream(UInt64($0)) }
    let size = options.size ?? model.latentSize
    let noise = Tensor.randomNormal(
      shape: [range.count, size.height, size.width, autoencoder.latentChannels], using: &sources)
    let sampler = LatentSampler(
      model.denoiser, scheduler: try scheduler(options), stepCount: options.stepCount,
      guidance: .init(scale: options.guidance, nullLabel: model.nullLabel))
    // It is not ended: nobody reports.
    return try sampler.latents(from: noise, labels: labels, using: &sources) ?? noise
  }

  private func scheduler(_ options: DiffusionOptions) throws(SchedulerError) -> any Scheduler {
    let own = model.scheduler
    return try (options.scheduler?.configuration(forModelTrainedWith: own) ?? own).scheduler()
  }
}
