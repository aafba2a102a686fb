public import Images
import LatentFiles
import Models
import Schedulers
public import Tensors

/// Noise → latents → pictures.
///
/// Pictures are computed one by one: so each is the same, bit for bit, whatever else is drawn.
public struct DiffusionPipeline: Sendable {
  /// Autoencoder, denoiser and scheduler.
  public let model: LatentDiffusionModel
  /// How pictures are sampled.
  public let options: DiffusionOptions
  /// The loop.
  public let sampler: LatentSampler
  /// The height and width of latents.
  public let latentSize: (height: Int, width: Int)
  private let codec: LatentCodec

  /// A pipeline of a model.
  ///
  /// - Throws: `SchedulerError` for a scheduler or steps that can't be, and
  ///   ``DiffusionError/size(width:height:multiple:)`` for latents that the denoiser can't take.
  public init(_ model: LatentDiffusionModel, options: DiffusionOptions) throws {
    self.model = model
    self.options = options
    codec = LatentCodec(model.autoencoder)
    latentSize = options.size ?? model.latentSize
    let own = model.scheduler
    let configuration = try options.scheduler?.configuration(forModelTrainedWith: own) ?? own
    sampler = LatentSampler(
      model.denoiser, scheduler: try configuration.scheduler(), stepCount: options.stepCount,
      guidance: .init(
        scale: options.guidance, nullLabel: model.nullLabel, interval: options.guidanceInterval))
    _ = try sampler.count()
    let multiple = model.denoiser.spatialFactor
    guard latentSize.height % multiple == 0, latentSize.width % multiple == 0 else {
      throw DiffusionError.size(
        width: width, height: height, multiple: model.pictureFactor)
    }
  }

  /// The rows of a picture.
  public var height: Int { latentSize.height * autoencoder.spatialFactor }

  /// The columns of a picture.
  public var width: Int { latentSize.width * autoencoder.spatialFactor }

  private var autoencoder: any Autoencoder { model.autoencoder.autoencoder }

  /// The noise of a picture, from the options' seed.
  public func noise(ofPicture index: Int) -> PictureNoise {
    PictureNoise(options.generator, seed: options.seed, picture: index)
  }

  /// New pictures.
  ///
  /// Picture k is the same whatever else is asked for.
  ///
  /// - Parameters:
  ///   - count: how many.
  ///   - labels: `count` of them, as places among the model's classes; nil for a model without.
  /// - Returns: the pictures in order.
  /// - Throws: `CodecError` where the model's numbers go beyond all bounds.
  public func pictures(count: Int, labels: [Int]?) throws -> [Image] {
    try (0..<count).compactMap { index in
      try drawing(from: noise(ofPicture: index), label: labels?[index])?.image
    }
  }

  /// What a picture to be changed gives to sampling.
  public struct Start: Sendable {
    /// The picture, opaque, in 8 bits and in colour.
    public let image: Image
    /// How much of the way from noise is gone, 0…1.
    public let strength: Double
    /// What is drawn anew; nil for all.
    public let mask: PictureMask?
    /// The picture's latents in the diffusion model's space.
    let latents: Tensor
  }

  /// Prepares a picture to be changed.
  ///
  /// Meng and others 2021 (SDEdit), arXiv:2108.01073.
  ///
  /// - Parameters:
  ///   - image: of the pipeline's size; what is transparent is laid over white.
  ///   - strength: how much of the way from noise is gone, 0…1.
  ///   - mask: white where the picture is drawn anew, of the same size.
  /// - Returns: what ``drawing(from:label:start:keepingPreviews:report:)`` takes.
  /// - Throws: ``CodecError``.
  public func start(from image: Image, strength: Double, mask: Image? = nil) throws -> Start {
    let opaque = image.flattened(red: 255, green: 255, blue: 255).eightBit().converted(to: .rgb)
    precondition(
      opaque.width == width && opaque.height == height,
      "a picture of \(opaque.width)×\(opaque.height) for \(width)×\(height)")
    return Start(
      image: opaque, strength: strength,
      mask: mask.map { PictureMask($0, feather: autoencoder.spatialFactor / 2) },
      latents: autoencoder.latentScaling.toDiffusion(try codec.latents(of: opaque)))
  }

  /// A picture that was drawn.
  public struct Drawing: Sendable {
    /// The picture.
    public let image: Image
    /// What it was decoded from, in the autoencoder's own range: `[1, h, w, C]`.
    public let latents: Tensor
    /// The latents as they looked after each step, in the autoencoder's own range; empty unless
    /// they were wanted.
    public let previews: [Tensor]
    /// What the latents alone give: without what a mask kept.
    let decoded: Image
  }

  /// Draws a picture.
  ///
  /// With a mask, the latents of what is kept get the noise of each level in turn: the blending of
  /// Lugmayr et al. 2022 (RePaint), arXiv:2201.09865, without its resampling, and with one noise
  /// for all levels, as diffusers' inpainting pipelines have it.
  ///
  /// - Parameters:
  ///   - noise: what it is made of.
  ///   - label: its class, as a place among the model's; nil for a model without.
  ///   - start: a picture that is changed; nil to begin with noise.
  ///   - keepingPreviews: whether the steps are kept, for a strip.
  ///   - report: called with what each step led to; false ends the drawing.
  /// - Returns: the picture; nil if it was ended.
  /// - Throws: ``CodecError`` where the model's numbers go beyond all bounds.
  public func drawing(
    from noise: PictureNoise, label: Int?, start: Start? = nil, keepingPreviews: Bool = false,
    report: (LatentSampler.Progress) -> Bool = { _ in true }
  ) throws -> Drawing? {
    var noise = noise
    func further() -> Tensor {
      noise.next(
        height: latentSize.height, width: latentSize.width, channels: autoencoder.latentChannels)
    }
    let first = further()
    let scaling = autoencoder.latentScaling
    var previews: [Tensor] = []
    func told(_ progress: LatentSampler.Progress) -> Bool {
      if keepingPreviews { previews.append(scaling.toAutoencoder(progress.predictedOriginal)) }
      return report(progress)
    }
    let labels = label.map { [$0] }
    let sampled: Tensor? =
      if let start {
        try sampler.latents(
          changing: start.latents, strength: start.strength, noise: first, labels: labels,
          further: further, adjust: blending(start, first), report: told)
      } else {
        try sampler.latents(from: first, labels: labels, further: further, report: told)
      }
    guard let sampled else { return nil }
    let latents = scaling.toAutoencoder(sampled)
    guard latents.isFinite else {
      throw CodecError.nonFiniteLatents(model: model.autoencoder.name)
    }
    let decoded = try codec.picture(of: latents, height: height, width: width)
    let image = start?.mask?.composed(start?.image ?? decoded, with: decoded) ?? decoded
    return Drawing(image: image, latents: latents, previews: previews, decoded: decoded)
  }

  /// What keeps the latents that a mask protects.
  private func blending(_ start: Start, _ noise: Tensor) -> (NoiseLevel, Tensor) -> Tensor {
    guard let mask = start.mask else { return { $1 } }
    let isNew = mask.latentMask(
      factor: autoencoder.spatialFactor, channels: autoencoder.latentChannels)
    let isKept = isNew.affine(scale: -1, offset: 1)
    return { level, sample in
      isNew * sample + isKept * level.addNoise(to: start.latents, noise: noise)
    }
  }
}

extension DiffusionPipeline.Drawing {
  /// How the picture came to be, from left to right: previews of some steps and the picture.
  ///
  /// Previews are the latents through the projection to colours that fits this picture best.
  ///
  /// - Parameter columnCount: The most pictures side by side.
  /// - Returns: The pictures in a row.
  public func strip(columnCount: Int) -> Image {
    let projection = LatentPreview(fitting: latents, to: decoded.tensor())
    let tiles = previews.evenlyChosen(max(columnCount - 1, 0)).map { latents in
      Image(projection.colors(of: latents)).resized(width: image.width, height: image.height)
    }
    return ImageGrid(columnCount: columnCount).image(of: tiles + [image])
  }
}
