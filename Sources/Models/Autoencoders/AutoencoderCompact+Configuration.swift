extension AutoencoderCompact {
  /// The sizes of an ``AutoencoderCompact``, as its `config.json` has them.
  ///
  /// Keys that aren't listed here are passed over.
  public struct Configuration: Encodable, Hashable, Sendable {
    /// The channels of the picture that is encoded.
    public var inChannels = 3
    /// The channels of the picture that is decoded.
    public var outChannels = 3
    /// The side of the squares of pixels that become channels before the first convolution: 1, 2,
    /// 4, 8 or 16.
    public var patchSize = 4
    /// The encoder's channels at each resolution, the finest first.
    public var encoderBlockOutChannels = [64, 160]
    /// The decoder's channels at each resolution, the coarsest first.
    public var decoderBlockOutChannels = [160, 96]
    /// The encoder's residual blocks at each resolution, the finest first.
    public var encoderLayers = [2, 2]
    /// The decoder's residual blocks at each resolution, the coarsest first.
    public var decoderLayers = [2, 3]
    /// The latent's channels.
    public var latentChannels = 16
    /// Whether the encoder gives a variance beside the mean.
    public var doubleZ = false
    /// Whether a linear map of squares of pixels is added to what the convolutions give, in each
    /// direction.
    public var linearShortcut = true
    /// What latents are multiplied with for a diffusion model.
    public var scalingFactor: Float = 1
    /// What is subtracted from latents first.
    public var shiftFactor: Float = 0
    /// Replaces `shiftFactor` channel by channel.
    public var latentsMean: [Float]?
    /// What each channel is divided by.
    public var latentsStd: [Float]?

    /// Those for photographs: 2.8 million parameters, a factor of 8 and 16 channels.
    public init() {}

    enum CodingKeys: String, CodingKey, CaseIterable {
      case inChannels = "in_channels"
      case outChannels = "out_channels"
      case patchSize = "patch_size"
      case encoderBlockOutChannels = "encoder_block_out_channels"
      case decoderBlockOutChannels = "decoder_block_out_channels"
      case encoderLayers = "encoder_layers"
      case decoderLayers = "decoder_layers"
      case latentChannels = "latent_channels"
      case doubleZ = "double_z"
      case linearShortcut = "linear_shortcut"
      case scalingFactor = "scaling_factor"
      case shiftFactor = "shift_factor"
      case latentsMean = "latents_mean"
      case latentsStd = "latents_std"
    }

    /// The keys that are read from a `config.json`.
    package static var keys: [String] { CodingKeys.allCases.map(\.rawValue) }

    /// The configuration in a `config.json`.
    ///
    /// - Throws: ``CheckpointError/field(path:name:expected:found:)`` for a value of another type,
    ///   and ``CheckpointError/unknownModel(source:reason:)`` for sizes that can't be built.
    public init(_ fields: ConfigurationFields) throws(CheckpointError) {
      inChannels = try fields.integer("in_channels", or: inChannels)
      outChannels = try fields.integer("out_channels", or: outChannels)
      patchSize = try fields.integer("patch_size", or: patchSize)
      encoderBlockOutChannels = try fields.integers(
        "encoder_block_out_channels", or: encoderBlockOutChannels)
      decoderBlockOutChannels = try fields.integers(
        "decoder_block_out_channels", or: decoderBlockOutChannels)
      encoderLayers = try fields.integers("encoder_layers", or: encoderLayers)
      decoderLayers = try fields.integers("decoder_layers", or: decoderLayers)
      latentChannels = try fields.integer("latent_channels", or: latentChannels)
      doubleZ = try fields.boolean("double_z", or: doubleZ)
      linearShortcut = try fields.boolean("linear_shortcut", or: linearShortcut)
      scalingFactor = try Float(fields.number("scaling_factor", or: Double(scalingFactor)))
      shiftFactor = try Float(fields.number("shift_factor", or: Double(shiftFactor)))
      latentsMean = try fields.numbers("latents_mean")
      latentsStd = try fields.numbers("latents_std")
      if let problem = sizeProblem() ?? scaleProblem() { throw fields.unsupported(problem) }
    }

    /// By how much a latent is smaller than its picture, along each axis.
    public var spatialFactor: Int { patchSize << (encoderBlockOutChannels.count - 1) }

    /// Which sizes make this configuration impossible or too large to build; nil if none do.
    private func sizeProblem() -> String? {
      let levels = encoderBlockOutChannels.count
      if levels == 0 || levels > 6 {
        return "encoder_block_out_channels has \(levels) entries, not 1 to 6"
      }
      for (name, count) in [
        ("decoder_block_out_channels", decoderBlockOutChannels.count),
        ("encoder_layers", encoderLayers.count), ("decoder_layers", decoderLayers.count),
      ] where count != levels {
        return "encoder_block_out_channels has \(levels) entries and \(name) \(count)"
      }
      if ![1, 2, 4, 8, 16].contains(patchSize) {
        return "patch_size is \(patchSize), not 1, 2, 4, 8 or 16"
      }
      if spatialFactor > 64 {
        return "patch_size \(patchSize) and \(levels) levels give a factor of \(spatialFactor), "
          + "and 64 is the largest"
      }
      let sizes = [latentChannels] + encoderBlockOutChannels + decoderBlockOutChannels
      if let size = sizes.first(where: { $0 < 1 || $0 > 4096 }) {
        return "a size of \(size) is not between 1 and 4096"
      }
      if let blocks = (encoderLayers + decoderLayers).first(where: { $0 < 0 || $0 > 64 }) {
        return "\(blocks) blocks at a resolution are not between 0 and 64"
      }
      if inChannels != 3 || outChannels != 3 {
        return "in_channels \(inChannels) and out_channels \(outChannels); only 3 are supported"
      }
      return nil
    }

    /// What is wrong about the scale of latents; nil if nothing is.
    private func scaleProblem() -> String? {
      if !scalingFactor.isFinite || scalingFactor == 0 || !shiftFactor.isFinite {
        return "scaling_factor is \(scalingFactor) and shift_factor \(shiftFactor)"
      }
      for (name, values) in [("latents_mean", latentsMean), ("latents_std", latentsStd)] {
        guard let values else { continue }
        if values.count != latentChannels {
          return "\(name) has \(values.count) entries for \(latentChannels) latent channels"
        }
        if !values.allSatisfy(\.isFinite) || (name == "latents_std" && values.contains(0)) {
          return "\(name) has a number that can't be used"
        }
      }
      return nil
    }
  }
}
