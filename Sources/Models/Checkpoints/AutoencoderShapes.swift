import Tensors

/// The settings of an autoencoder, as far as the shapes of its weights tell them.
struct AutoencoderShapes {
  private let checkpoint: Checkpoint

  /// Looks at a checkpoint with diffusers' names.
  init(_ checkpoint: Checkpoint) {
    self.checkpoint = checkpoint
  }

  private func failure(_ reason: String) -> CheckpointError {
    .unknownModel(source: checkpoint.source, reason: reason)
  }

  /// One extent of a convolution's weights.
  private func extent(_ axis: Int, of name: String) throws(CheckpointError) -> Int {
    guard let shape = checkpoint.entry(named: name)?.shape else {
      throw failure("there is no \"\(name)\", so this is no autoencoder that is known")
    }
    guard shape.rank == 4 else { throw failure("\"\(name)\" has shape \(shape), not four axes") }
    return shape[axis]
  }

  /// How many of the names `prefix` + 0, 1, … + `suffix` there are.
  private func count(_ prefix: String, _ suffix: String) -> Int {
    (0...).first { checkpoint.entry(named: "\(prefix)\($0)\(suffix)") == nil } ?? 0
  }

  /// The settings with the names of diffusers' `config.json`.
  ///
  /// - Throws: ``CheckpointError/unknownModel(source:reason:)`` where the weights aren't those of
  ///   an AutoencoderKL, or don't fit the family.
  func configuration(
    family: AutoencoderFamily?
  ) throws(CheckpointError) -> ConfigurationFields {
    if checkpoint.names.contains(where: { $0.hasPrefix("quantize.") }) {
      throw failure("its latents are vectors of a codebook (VQ), which this build doesn't read")
    }
    let latentChannels = try extent(1, of: "decoder.conv_in.weight")
    let moments = try extent(0, of: "encoder.conv_out.weight")
    guard moments % 2 == 0, moments / 2 == latentChannels else {
      throw failure("its encoder gives \(moments) channels for latents of \(latentChannels)")
    }
    let levels = count("encoder.down_blocks.", ".resnets.0.conv1.weight")
    guard levels > 0 else { throw failure("its encoder has no levels") }
    var channels: [Int] = []
    for level in 0..<levels {
      channels.append(try extent(0, of: "encoder.down_blocks.\(level).resnets.0.conv1.weight"))
    }
    guard channels.allSatisfy({ $0 > 0 && $0 % 32 == 0 }) else {
      throw failure("its channels, \(channels), don't divide into 32 groups: add a config.json")
    }
    let guessed = try guess(latentChannels: latentChannels)
    let family = family ?? guessed
    guard family.latentChannels == latentChannels else {
      throw failure(
        "it has \(latentChannels) latent channels, and \(family.rawValue) has "
          + "\(family.latentChannels)")
    }
    let layers = count("encoder.down_blocks.0.resnets.", ".conv1.weight")
    return ConfigurationFields(
      values(
        channels: channels, layers: layers, latentChannels: latentChannels, family: family,
        inputs: try extent(1, of: "encoder.conv_in.weight"),
        outputs: try extent(0, of: "decoder.conv_out.weight")),
      source: "\(checkpoint.source) (inferred)")
  }

  private func guess(latentChannels: Int) throws(CheckpointError) -> AutoencoderFamily {
    switch latentChannels {
    case 4: return .stableDiffusion
    case 16: return .flux
    default:
      throw failure(
        "the scale of latents with \(latentChannels) channels is unknown: add a config.json")
    }
  }

  private func has(_ name: String) -> Bool { checkpoint.entry(named: name) != nil }

  private func values(
    channels: [Int], layers: Int, latentChannels: Int, family: AutoencoderFamily, inputs: Int,
    outputs: Int
  ) -> JSONObject {
    func blockTypes(_ blocks: String, plain: String, attentive: String) -> JSONValue {
      .array(
        channels.indices.map { level in
          let isAttentive = has("\(blocks).\(level).attentions.0.to_q.weight")
          return .string(isAttentive ? attentive : plain)
        })
    }
    return [
      "_class_name": .string("AutoencoderKL"),
      "act_fn": .string("silu"),
      "block_out_channels": JSONValue(channels),
      "down_block_types": blockTypes(
        "encoder.down_blocks", plain: "DownEncoderBlock2D", attentive: "AttnDownEncoderBlock2D"),
      "force_upcast": .boolean(true),
      "in_channels": JSONValue(inputs),
      "latent_channels": JSONValue(latentChannels),
      "layers_per_block": JSONValue(layers),
      "mid_block_add_attention": .boolean(has("encoder.mid_block.attentions.0.to_q.weight")),
      "norm_num_groups": JSONValue(32),
      "out_channels": JSONValue(outputs),
      "sample_size": JSONValue(family.sampleSize),
      "scaling_factor": JSONValue(family.scalingFactor),
      "shift_factor": family.shiftFactor == 0 ? .null : JSONValue(family.shiftFactor),
      "up_block_types": blockTypes(
        "decoder.up_blocks", plain: "UpDecoderBlock2D", attentive: "AttnUpDecoderBlock2D"),
      "use_post_quant_conv": .boolean(has("post_quant_conv.weight")),
      "use_quant_conv": .boolean(has("quant_conv.weight")),
    ]
  }
}
