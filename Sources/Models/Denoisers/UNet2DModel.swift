public import Layers
public import Tensors

/// The denoiser of unconditional and class-conditional diffusion models: residual blocks at falling
/// and rising resolutions, with connections across, attention, and an embedding of the time.
///
/// Ho et al. 2020, arXiv:2006.11239, appendix B; as diffusers' class of this name, whose
/// configuration and parameter names it shares.
public struct UNet2DModel: Denoiser {
  /// The class's name in `config.json`.
  public static let className = "UNet2DModel"

  /// What was built.
  public let configuration: Configuration
  /// 3×3, to the first block's channels.
  public var convIn: Conv2d
  /// Timesteps → vectors.
  public let timeProjection: Timesteps
  /// Vectors → the time embedding.
  public var timeEmbedding: TimestepEmbedding
  /// Labels → what is added to the time embedding.
  public var classEmbedding: Embedding?
  /// One for each resolution, the finest first.
  public var downBlocks: [UNetDownBlock]
  /// At the coarsest resolution.
  public var midBlock: UNetMidBlock?
  /// One for each resolution, the coarsest first.
  public var upBlocks: [UNetUpBlock]
  /// The last norm.
  public var convNormOut: GroupNorm
  /// 3×3, to the estimate's channels.
  public var convOut: Conv2d

  /// A denoiser whose parameters are zero until they are loaded or initialised.
  public init(_ configuration: Configuration) {
    self.configuration = configuration
    let channels = configuration.blockOutChannels
    let timeChannels = configuration.timeChannels
    convIn = Conv2d(
      inputChannels: configuration.inChannels, outputChannels: channels[0], kernelSize: 3)
    timeProjection = Timesteps(
      channels: channels[0], flipsSineToCosine: configuration.flipSinToCos,
      frequencyShift: configuration.freqShift)
    timeEmbedding = TimestepEmbedding(inputChannels: channels[0], outputChannels: timeChannels)
    classEmbedding = configuration.numClassEmbeds.map {
      Embedding(rows: $0, channels: timeChannels)
    }
    let parts = UNetParts(configuration)
    downBlocks = channels.indices.map { UNetDownBlock(parts, level: $0) }
    midBlock = configuration.hasMidBlock ? UNetMidBlock(parts) : nil
    upBlocks = channels.indices.reversed().map { UNetUpBlock(parts, level: $0) }
    convNormOut = GroupNorm(
      groups: configuration.normNumGroups, channels: channels[0], epsilon: configuration.normEps)
    convOut = Conv2d(
      inputChannels: channels[0], outputChannels: configuration.outChannels, kernelSize: 3)
  }

  /// The channels of the latents that it takes.
  public var inputChannels: Int { configuration.inChannels }

  /// The channels of its estimates.
  public var outputChannels: Int { configuration.outChannels }

  /// How many classes it knows; nil if it takes no labels.
  public var labelCount: Int? { configuration.numClassEmbeds }

  /// The height and width of the latents that it was trained with, or one number for both.
  public var trainedSize: [Int]? { configuration.sampleSize }

  /// What height and width must be multiples of.
  public var spatialFactor: Int { 1 << (configuration.blockOutChannels.count - 1) }

  /// The estimate for noisy latents: `[N, H, W, inChannels]` → `[N, H, W, outChannels]`.
  public func callAsFunction(
    _ latents: Tensor, timesteps: [Float], labels: [Int]? = nil
  ) -> Tensor {
    let shape = latents.shape
    precondition(
      shape.rank == 4 && shape[1] % spatialFactor == 0 && shape[2] % spatialFactor == 0,
      "latents of \(shape) for a network whose sizes are multiples of \(spatialFactor)")
    let time = embedding(timesteps: timesteps, labels: labels, images: shape[0]).activated(.silu)
    var hidden =
      convIn(configuration.centerInputSample ? latents.affine(scale: 2, offset: -1) : latents)
    var skips = [hidden]
    for block in downBlocks {
      hidden = block(consume hidden, time: time, skips: &skips)
    }
    if let midBlock { hidden = midBlock(consume hidden, time: time) }
    for block in upBlocks {
      hidden = block(consume hidden, time: time, skips: &skips)
    }
    return convOut(hidden, normalizedBy: convNormOut.normalization(.silu))
  }

  /// The time embedding, to which that of the class is added: `[N, T]`.
  ///
  /// - Precondition: the counts are those of the images, and there are labels just if they are known.
  public func embedding(timesteps: [Float], labels: [Int]?, images: Int) -> Tensor {
    precondition(
      timesteps.count == images || timesteps.count == 1,
      "\(timesteps.count) timesteps for \(images) images")
    precondition(
      labels?.count == classEmbedding.map { _ in images },
      "\(labels?.count ?? 0) labels for \(images) images and \(labelCount ?? 0) classes")
    let all =
      timesteps.count == images
      ? timesteps : [Float](repeating: timesteps[0], count: images)
    let time = timeEmbedding(timeProjection(all))
    guard let classEmbedding, let labels else { return time }
    return time + classEmbedding(labels)
  }

  /// Shows each parameter to `visitor`, under its name below `path`.
  public mutating func visitParameters(
    at path: ParameterPath, with visitor: inout some ParameterVisitor
  ) throws {
    try convIn.visitParameters(at: path / "conv_in", with: &visitor)
    try timeEmbedding.visitParameters(at: path / "time_embedding", with: &visitor)
    try classEmbedding.visitParameters(at: path / "class_embedding", with: &visitor)
    try downBlocks.visitParameters(at: path / "down_blocks", with: &visitor)
    try midBlock.visitParameters(at: path / "mid_block", with: &visitor)
    try upBlocks.visitParameters(at: path / "up_blocks", with: &visitor)
    try convNormOut.visitParameters(at: path / "conv_norm_out", with: &visitor)
    try convOut.visitParameters(at: path / "conv_out", with: &visitor)
  }
}
