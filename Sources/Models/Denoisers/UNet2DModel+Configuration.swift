public import Layers
import Tensors

extension UNet2DModel {
  /// The sizes of a ``UNet2DModel``: `config.json`, with diffusers' keys and defaults.
  ///
  /// Keys that aren't listed here must have diffusers' defaults where another value would change the
  /// network; others are passed over.
  public struct Configuration: Hashable, Sendable {
    /// Height and width of the latents that it was trained with, or one number for both.
    public var sampleSize: [Int]?
    /// The channels of the latents that it takes.
    public var inChannels = 3
    /// The channels of its estimates.
    public var outChannels = 3
    /// Whether the input comes in 0…1 and is brought to −1…1.
    public var centerInputSample = false
    /// The channels of the time embedding; four times those of the first block without it.
    public var timeEmbeddingDim: Int?
    /// What is taken from half the channels in the frequencies of timesteps.
    public var freqShift: Float = 0
    /// Whether the cosines of timesteps stand before the sines.
    public var flipSinToCos = true
    /// `DownBlock2D` or `AttnDownBlock2D`, the finest resolution first.
    public var downBlockTypes = [
      "DownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D",
    ]
    /// Whether there is a block between the way down and the way up: `mid_block_type`.
    public var hasMidBlock = true
    /// `UpBlock2D` or `AttnUpBlock2D`, the coarsest resolution first.
    public var upBlockTypes = ["AttnUpBlock2D", "AttnUpBlock2D", "AttnUpBlock2D", "UpBlock2D"]
    /// The channels at each resolution, the finest first.
    public var blockOutChannels = [224, 448, 672, 896]
    /// Residual blocks at each resolution on the way down; there is one more on the way up.
    public var layersPerBlock = 2
    /// 1, or 0 for a row and a column below and to the right only.
    public var downsamplePadding = 1
    /// The probability with which training drops features; not applied here.
    public var dropout: Double = 0
    /// The channels of a head of attention; nil for a single head.
    public var attentionHeadDim: Int? = 8
    /// The groups of the norms.
    public var normNumGroups = 32
    /// The groups of the middle's attention, where they are others.
    public var attnNormNumGroups: Int?
    /// ε of the norms.
    public var normEps: Float = 1e-5
    /// How the time embedding comes into residual blocks.
    public var resnetTimeScaleShift = ResnetBlock2D.TimeConditioning.offset
    /// Whether the middle has attention.
    public var addAttention = true
    /// How many classes there are; nil for a network without labels.
    public var numClassEmbeds: Int?

    /// diffusers' defaults.
    public init() {}

    /// The channels of the time embedding.
    var timeChannels: Int { timeEmbeddingDim ?? 4 * blockOutChannels[0] }

    /// The groups of the middle's attention; nil if it has no norm.
    var midBlockGroups: Int? {
      attnNormNumGroups ?? (resnetTimeScaleShift == .offset ? normNumGroups : nil)
    }
  }
}

// MARK: Reading

extension UNet2DModel.Configuration {
  /// The configuration in a `config.json`.
  ///
  /// - Throws: ``CheckpointError/field(path:name:expected:found:)`` for a value of another type,
  ///   and ``CheckpointError/unknownModel(source:reason:)`` for a network that can't be built.
  public init(_ fields: ConfigurationFields) throws(CheckpointError) {
    try Self.refuseUnknownKinds(fields)
    sampleSize = try Self.sampleSize(fields)
    inChannels = try fields.integer("in_channels", or: inChannels)
    outChannels = try fields.integer("out_channels", or: outChannels)
    centerInputSample = try fields.boolean("center_input_sample", or: centerInputSample)
    timeEmbeddingDim = try fields.optionalInteger("time_embedding_dim", or: nil)
    freqShift = try Float(fields.number("freq_shift", or: Double(freqShift)))
    flipSinToCos = try fields.boolean("flip_sin_to_cos", or: flipSinToCos)
    downBlockTypes = try fields.strings("down_block_types", or: downBlockTypes)
    hasMidBlock = fields.values["mid_block_type"] != .null
    upBlockTypes = try fields.strings("up_block_types", or: upBlockTypes)
    blockOutChannels = try fields.integers("block_out_channels", or: blockOutChannels)
    layersPerBlock = try fields.integer("layers_per_block", or: layersPerBlock)
    downsamplePadding = try fields.integer("downsample_padding", or: downsamplePadding)
    dropout = try fields.number("dropout", or: dropout)
    attentionHeadDim = try fields.optionalInteger("attention_head_dim", or: attentionHeadDim)
    normNumGroups = try fields.integer("norm_num_groups", or: normNumGroups)
    attnNormNumGroups = try fields.optionalInteger("attn_norm_num_groups", or: nil)
    normEps = try Float(fields.number("norm_eps", or: Double(normEps)))
    let conditioning = try fields.string(
      "resnet_time_scale_shift", or: resnetTimeScaleShift.rawValue)
    guard let kind = ResnetBlock2D.TimeConditioning(rawValue: conditioning) else {
      throw fields.unsupported(
        "resnet_time_scale_shift \(conditioning) is not supported (known: default, scale_shift)")
    }
    resnetTimeScaleShift = kind
    addAttention = try fields.boolean("add_attention", or: addAttention)
    numClassEmbeds = try fields.optionalInteger("num_class_embeds", or: nil)
    if let problem = problem() { throw fields.unsupported(problem) }
  }

  /// Keys of which only some values are known; the first is diffusers' default.
  private static let knownKinds = [
    "time_embedding_type": ["positional"], "mid_block_type": ["UNetMidBlock2D"],
    "downsample_type": ["conv"], "upsample_type": ["conv"], "act_fn": ["silu", "swish"],
  ]

  private static func refuseUnknownKinds(_ fields: ConfigurationFields) throws(CheckpointError) {
    for (key, known) in knownKinds.sorted(by: { $0.key < $1.key }) {
      let kind = try fields.string(key, or: known[0])
      if !known.contains(kind) {
        throw fields.unsupported(
          "\(key) \(kind) is not supported (known: \(known.joined(separator: ", ")))")
      }
    }
    if fields.has("class_embed_type") {
      let kind = try fields.string("class_embed_type", or: "")
      throw fields.unsupported("class_embed_type \(kind) is not supported (known: null)")
    }
    if fields.values["norm_num_groups"] == .null {
      throw fields.unsupported("norm_num_groups null is not supported; give a number")
    }
    let scale = try fields.number("mid_block_scale_factor", or: 1)
    if scale != 1 {
      throw fields.unsupported("mid_block_scale_factor \(scale) is not supported (known: 1)")
    }
  }

  /// A number, or a list of two.
  private static func sampleSize(_ fields: ConfigurationFields) throws(CheckpointError) -> [Int]? {
    if case .array(_)? = fields.values["sample_size"] {
      let sizes = try fields.integers("sample_size", or: [])
      guard sizes.count == 2 else {
        throw fields.unsupported("sample_size has \(sizes.count) numbers, not height and width")
      }
      return sizes
    }
    return try fields.optionalInteger("sample_size", or: nil).map { [$0] }
  }

  /// What makes this configuration impossible or too large to build; nil if nothing does.
  private func problem() -> String? {
    let blocks = blockOutChannels.count
    let optional = [timeEmbeddingDim, attentionHeadDim, attnNormNumGroups, numClassEmbeds]
    let sizes =
      [inChannels, outChannels, layersPerBlock, normNumGroups] + blockOutChannels
      + (sampleSize ?? []) + optional.compactMap { $0 }
    if blocks == 0 || blocks > 8 { return "block_out_channels has \(blocks) entries, not 1 to 8" }
    if downBlockTypes.count != blocks || upBlockTypes.count != blocks {
      return "block_out_channels has \(blocks) entries, down_block_types "
        + "\(downBlockTypes.count) and up_block_types \(upBlockTypes.count)"
    }
    if let size = sizes.first(where: { $0 < 1 || $0 > 1 << 20 }) {
      return "a size of \(size) is not between 1 and \(1 << 20)"
    }
    if let channels = blockOutChannels.first(where: { $0 > 8192 }) {
      return "block_out_channels has \(channels), more than 8192"
    }
    if layersPerBlock > 64 { return "layers_per_block \(layersPerBlock) exceeds 64" }
    if downsamplePadding != 0 && downsamplePadding != 1 {
      return "downsample_padding \(downsamplePadding) is not supported (known: 0, 1)"
    }
    if !freqShift.isFinite || Float(blockOutChannels[0] / 2) <= freqShift {
      return "freq_shift \(freqShift) for \(blockOutChannels[0]) channels"
    }
    if !normEps.isFinite || normEps < 0 { return "norm_eps is \(normEps)" }
    return blockTypeProblem() ?? divisionProblem()
  }

  private func blockTypeProblem() -> String? {
    let known = (["DownBlock2D", "AttnDownBlock2D"], ["UpBlock2D", "AttnUpBlock2D"])
    if let type = downBlockTypes.first(where: { !known.0.contains($0) }) {
      return "down_block_types \(type) is not supported (known: \(known.0.joined(separator: ", ")))"
    }
    if let type = upBlockTypes.first(where: { !known.1.contains($0) }) {
      return "up_block_types \(type) is not supported (known: \(known.1.joined(separator: ", ")))"
    }
    return nil
  }

  private func divisionProblem() -> String? {
    if let channels = blockOutChannels.first(where: { $0 % normNumGroups != 0 }) {
      return "\(channels) channels don't divide into norm_num_groups \(normNumGroups)"
    }
    let last = blockOutChannels[blockOutChannels.count - 1]
    if let groups = attnNormNumGroups, last % groups != 0 {
      return "\(last) channels don't divide into attn_norm_num_groups \(groups)"
    }
    let attentive =
      zip(blockOutChannels, downBlockTypes).filter { $1.hasPrefix("Attn") }.map(\.0)
      + zip(blockOutChannels.reversed(), upBlockTypes).filter { $1.hasPrefix("Attn") }.map(\.0)
      + (hasMidBlock && addAttention ? [last] : [])
    if let width = attentionHeadDim, let channels = attentive.first(where: { $0 % width != 0 }) {
      return "\(channels) channels don't divide into heads of attention_head_dim \(width)"
    }
    return nil
  }
}

// MARK: Writing

extension UNet2DModel.Configuration: Encodable {
  enum CodingKeys: String, CodingKey {
    case sampleSize = "sample_size"
    case inChannels = "in_channels"
    case outChannels = "out_channels"
    case centerInputSample = "center_input_sample"
    case timeEmbeddingDim = "time_embedding_dim"
    case freqShift = "freq_shift"
    case flipSinToCos = "flip_sin_to_cos"
    case downBlockTypes = "down_block_types"
    case hasMidBlock = "mid_block_type"
    case upBlockTypes = "up_block_types"
    case blockOutChannels = "block_out_channels"
    case layersPerBlock = "layers_per_block"
    case downsamplePadding = "downsample_padding"
    case dropout
    case attentionHeadDim = "attention_head_dim"
    case normNumGroups = "norm_num_groups"
    case attnNormNumGroups = "attn_norm_num_groups"
    case normEps = "norm_eps"
    case resnetTimeScaleShift = "resnet_time_scale_shift"
    case addAttention = "add_attention"
    case numClassEmbeds = "num_class_embeds"
  }

  /// Writes all keys: an absent one and `null` may mean different things to diffusers.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    if let sampleSize, sampleSize.count == 1 {
      try container.encode(sampleSize[0], forKey: .sampleSize)
    } else {
      try container.encode(sampleSize, forKey: .sampleSize)
    }
    try container.encode(inChannels, forKey: .inChannels)
    try container.encode(outChannels, forKey: .outChannels)
    try container.encode(centerInputSample, forKey: .centerInputSample)
    try container.encode(timeEmbeddingDim, forKey: .timeEmbeddingDim)
    try container.encode(freqShift, forKey: .freqShift)
    try container.encode(flipSinToCos, forKey: .flipSinToCos)
    try container.encode(downBlockTypes, forKey: .downBlockTypes)
    try container.encode(hasMidBlock ? "UNetMidBlock2D" : nil, forKey: .hasMidBlock)
    try container.encode(upBlockTypes, forKey: .upBlockTypes)
    try container.encode(blockOutChannels, forKey: .blockOutChannels)
    try container.encode(layersPerBlock, forKey: .layersPerBlock)
    try container.encode(downsamplePadding, forKey: .downsamplePadding)
    try container.encode(dropout, forKey: .dropout)
    try container.encode(attentionHeadDim, forKey: .attentionHeadDim)
    try container.encode(normNumGroups, forKey: .normNumGroups)
    try container.encode(attnNormNumGroups, forKey: .attnNormNumGroups)
    try container.encode(normEps, forKey: .normEps)
    try container.encode(resnetTimeScaleShift, forKey: .resnetTimeScaleShift)
    try container.encode(addAttention, forKey: .addAttention)
    try container.encode(numClassEmbeds, forKey: .numClassEmbeds)
  }
}
