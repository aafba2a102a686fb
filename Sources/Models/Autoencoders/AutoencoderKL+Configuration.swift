public import Layers

extension AutoencoderKL {
  /// The sizes of an ``AutoencoderKL``: `config.json`, with diffusers' keys and defaults.
  ///
  /// `upsample_type` is an extension of ours. Keys that aren't listed here are passed over.
  public struct Configuration: Encodable, Hashable, Sendable {
    /// The channels of the picture that is encoded.
    public var inChannels = 3
    /// The channels of the picture that is decoded.
    public var outChannels = 3
    /// `DownEncoderBlock2D` or `AttnDownEncoderBlock2D`, the finest resolution first.
    public var downBlockTypes = ["DownEncoderBlock2D"]
    /// `UpDecoderBlock2D` or `AttnUpDecoderBlock2D`, the coarsest resolution first.
    public var upBlockTypes = ["UpDecoderBlock2D"]
    /// The channels at each resolution, the finest first.
    public var blockOutChannels = [64]
    /// Residual blocks at each resolution of the encoder; the decoder has one more.
    public var layersPerBlock = 1
    /// The latent's channels.
    public var latentChannels = 4
    /// The groups of the norms.
    public var normNumGroups = 32
    /// The side of the pictures that it was trained with.
    public var sampleSize = 32
    /// What latents are multiplied with for a diffusion model.
    public var scalingFactor: Float = 0.18215
    /// What is subtracted from latents first.
    public var shiftFactor: Float?
    /// Replaces `shiftFactor` channel by channel.
    public var latentsMean: [Float]?
    /// What each channel is divided by.
    public var latentsStd: [Float]?
    /// Whether 16-bit floats are too narrow for it; kept for other readers, since we use 32 bits.
    public var forceUpcast = true
    /// Whether a 1×1 convolution follows the encoder.
    public var useQuantConv = true
    /// Whether a 1×1 convolution precedes the decoder.
    public var usePostQuantConv = true
    /// Whether the middle blocks have attention.
    public var midBlockAddAttention = true
    /// How the decoder enlarges.
    public var upsampleType = Upsample2D.Kind.nearest

    /// diffusers' defaults.
    public init() {}

    enum CodingKeys: String, CodingKey, CaseIterable {
      case inChannels = "in_channels"
      case outChannels = "out_channels"
      case downBlockTypes = "down_block_types"
      case upBlockTypes = "up_block_types"
      case blockOutChannels = "block_out_channels"
      case layersPerBlock = "layers_per_block"
      case latentChannels = "latent_channels"
      case normNumGroups = "norm_num_groups"
      case sampleSize = "sample_size"
      case scalingFactor = "scaling_factor"
      case shiftFactor = "shift_factor"
      case latentsMean = "latents_mean"
      case latentsStd = "latents_std"
      case forceUpcast = "force_upcast"
      case useQuantConv = "use_quant_conv"
      case usePostQuantConv = "use_post_quant_conv"
      case midBlockAddAttention = "mid_block_add_attention"
      case upsampleType = "upsample_type"
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
      downBlockTypes = try fields.strings("down_block_types", or: downBlockTypes)
      upBlockTypes = try fields.strings("up_block_types", or: upBlockTypes)
      blockOutChannels = try fields.integers("block_out_channels", or: blockOutChannels)
      layersPerBlock = try fields.integer("layers_per_block", or: layersPerBlock)
      latentChannels = try fields.integer("latent_channels", or: latentChannels)
      normNumGroups = try fields.integer("norm_num_groups", or: normNumGroups)
      sampleSize = try fields.integer("sample_size", or: sampleSize)
      scalingFactor = try Float(fields.number("scaling_factor", or: Double(scalingFactor)))
      shiftFactor =
        try fields.has("shift_factor") ? Float(fields.number("shift_factor", or: 0)) : nil
      latentsMean = try fields.numbers("latents_mean")
      latentsStd = try fields.numbers("latents_std")
      forceUpcast = try fields.boolean("force_upcast", or: forceUpcast)
      useQuantConv = try fields.boolean("use_quant_conv", or: useQuantConv)
      usePostQuantConv = try fields.boolean("use_post_quant_conv", or: usePostQuantConv)
      midBlockAddAttention = try fields.boolean("mid_block_add_attention", or: midBlockAddAttention)
      let upsampling = try fields.string("upsample_type", or: upsampleType.rawValue)
      guard let kind = Upsample2D.Kind(rawValue: upsampling) else {
        throw fields.unsupported("upsample_type \(upsampling) is unknown")
      }
      upsampleType = kind
      if let problem = problem() { throw fields.unsupported(problem) }
    }

    /// What makes this configuration impossible or too large to build; nil if nothing does.
    private func problem() -> String? {
      let blocks = blockOutChannels.count
      let sizes =
        [inChannels, outChannels, layersPerBlock, latentChannels, normNumGroups] + blockOutChannels
      if blocks == 0 || blocks > 8 { return "block_out_channels has \(blocks) entries, not 1 to 8" }
      if downBlockTypes.count != blocks || upBlockTypes.count != blocks {
        return "block_out_channels has \(blocks) entries, down_block_types "
          + "\(downBlockTypes.count) and up_block_types \(upBlockTypes.count)"
      }
      if let size = sizes.first(where: { $0 < 1 || $0 > 8192 }) {
        return "a size of \(size) is not between 1 and 8192"
      }
      if inChannels != 3 || outChannels != 3 {
        return "in_channels \(inChannels) and out_channels \(outChannels); only 3 are supported"
      }
      if let channels = blockOutChannels.first(where: { $0 % normNumGroups != 0 }) {
        return "\(channels) channels don't divide into norm_num_groups \(normNumGroups)"
      }
      let known: Set = [
        "DownEncoderBlock2D", "AttnDownEncoderBlock2D", "UpDecoderBlock2D", "AttnUpDecoderBlock2D",
      ]
      if let type = (downBlockTypes + upBlockTypes).first(where: { !known.contains($0) }) {
        return "the block type \(type) is not supported (known: \(known.sorted()))"
      }
      return scalingProblem()
    }

    private func scalingProblem() -> String? {
      if !scalingFactor.isFinite || scalingFactor == 0 {
        return "scaling_factor is \(scalingFactor)"
      }
      for (name, values) in [("latents_mean", latentsMean), ("latents_std", latentsStd)] {
        guard let values else { continue }
        if values.count != latentChannels {
          return "\(name) has \(values.count) entries for \(latentChannels) latent channels"
        }
        if values.contains(where: { !$0.isFinite || (name == "latents_std" && $0 <= 0) }) {
          return "\(name) has an entry that is not usable"
        }
      }
      return nil
    }
  }
}
