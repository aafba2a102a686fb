extension AutoencoderTiny {
  /// The sizes of an ``AutoencoderTiny``: `config.json`, with diffusers' keys and defaults.
  ///
  /// `use_midblock_gn` is an extension of ours, for TAEF2. Keys that aren't listed here are passed
  /// over.
  public struct Configuration: Encodable, Hashable, Sendable {
    /// The channels of the picture that is encoded.
    public var inChannels = 3
    /// The channels of the picture that is decoded.
    public var outChannels = 3
    /// The channels at each resolution, the finest first.
    public var encoderBlockOutChannels = [64, 64, 64, 64]
    /// The channels at each resolution, the coarsest first.
    public var decoderBlockOutChannels = [64, 64, 64, 64]
    /// The activation; only `relu`.
    public var actFn = "relu"
    /// How the decoder enlarges; only `nearest`.
    public var upsampleFn = "nearest"
    /// The latent's channels.
    public var latentChannels = 4
    /// By how much each level of the decoder enlarges; only 2.
    public var upsamplingScalingFactor = 2
    /// The blocks at each resolution of the encoder, the finest first.
    public var numEncoderBlocks = [1, 3, 3, 3]
    /// The blocks at each resolution of the decoder, the coarsest first.
    public var numDecoderBlocks = [3, 3, 3, 1]
    /// Where the decoder's input is softly clamped.
    public var latentMagnitude: Float = 3
    /// The middle of 8-bit latents; kept for other readers.
    public var latentShift: Float = 0.5
    /// Kept for other readers, since we use 32 bits.
    public var forceUpcast = false
    /// What latents are multiplied with for a diffusion model.
    public var scalingFactor: Float = 1
    /// What is subtracted from latents first.
    public var shiftFactor: Float = 0
    /// Whether the blocks at the coarsest resolution pool over the whole picture.
    public var useMidblockGN = false

    /// diffusers' defaults.
    public init() {}

    enum CodingKeys: String, CodingKey, CaseIterable {
      case inChannels = "in_channels"
      case outChannels = "out_channels"
      case encoderBlockOutChannels = "encoder_block_out_channels"
      case decoderBlockOutChannels = "decoder_block_out_channels"
      case actFn = "act_fn"
      case upsampleFn = "upsample_fn"
      case latentChannels = "latent_channels"
      case upsamplingScalingFactor = "upsampling_scaling_factor"
      case numEncoderBlocks = "num_encoder_blocks"
      case numDecoderBlocks = "num_decoder_blocks"
      case latentMagnitude = "latent_magnitude"
      case latentShift = "latent_shift"
      case forceUpcast = "force_upcast"
      case scalingFactor = "scaling_factor"
      case shiftFactor = "shift_factor"
      case useMidblockGN = "use_midblock_gn"
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
      encoderBlockOutChannels = try fields.integers(
        "encoder_block_out_channels", or: encoderBlockOutChannels)
      decoderBlockOutChannels = try fields.integers(
        "decoder_block_out_channels", or: decoderBlockOutChannels)
      actFn = try fields.string("act_fn", or: actFn)
      upsampleFn = try fields.string("upsample_fn", or: upsampleFn)
      latentChannels = try fields.integer("latent_channels", or: latentChannels)
      upsamplingScalingFactor = try fields.integer(
        "upsampling_scaling_factor", or: upsamplingScalingFactor)
      numEncoderBlocks = try fields.integers("num_encoder_blocks", or: numEncoderBlocks)
      numDecoderBlocks = try fields.integers("num_decoder_blocks", or: numDecoderBlocks)
      latentMagnitude = try Float(fields.number("latent_magnitude", or: Double(latentMagnitude)))
      latentShift = try Float(fields.number("latent_shift", or: Double(latentShift)))
      forceUpcast = try fields.boolean("force_upcast", or: forceUpcast)
      scalingFactor = try Float(fields.number("scaling_factor", or: Double(scalingFactor)))
      shiftFactor = try Float(fields.number("shift_factor", or: Double(shiftFactor)))
      useMidblockGN = try fields.boolean("use_midblock_gn", or: useMidblockGN)
      if let problem = problem() { throw fields.unsupported(problem) }
    }

    /// What makes this configuration impossible or too large to build; nil if nothing does.
    private func problem() -> String? {
      let levels = numEncoderBlocks.count
      if levels == 0 || levels > 8 { return "num_encoder_blocks has \(levels) entries, not 1 to 8" }
      for (name, count) in [
        ("num_decoder_blocks", numDecoderBlocks.count),
        ("encoder_block_out_channels", encoderBlockOutChannels.count),
        ("decoder_block_out_channels", decoderBlockOutChannels.count),
      ] where count != levels {
        return "num_encoder_blocks has \(levels) entries and \(name) \(count)"
      }
      let sizes =
        [latentChannels] + encoderBlockOutChannels + decoderBlockOutChannels
      if let size = sizes.first(where: { $0 < 1 || $0 > 8192 }) {
        return "a size of \(size) is not between 1 and 8192"
      }
      if let blocks = (numEncoderBlocks + numDecoderBlocks).first(where: { $0 < 0 || $0 > 64 }) {
        return "\(blocks) blocks at a resolution are not between 0 and 64"
      }
      if inChannels != 3 || outChannels != 3 {
        return "in_channels \(inChannels) and out_channels \(outChannels); only 3 are supported"
      }
      if Set(encoderBlockOutChannels).count > 1 || Set(decoderBlockOutChannels).count > 1 {
        return "the channels differ between resolutions, which this class doesn't have"
      }
      if actFn != "relu" { return "act_fn is \(actFn); only relu is supported" }
      if upsampleFn != "nearest" || upsamplingScalingFactor != 2 {
        return
          "upsample_fn is \(upsampleFn) ×\(upsamplingScalingFactor); only nearest ×2 is supported"
      }
      if !scalingFactor.isFinite || scalingFactor == 0 {
        return "scaling_factor is \(scalingFactor)"
      }
      if !(latentMagnitude > 0) { return "latent_magnitude is \(latentMagnitude)" }
      return nil
    }
  }
}
