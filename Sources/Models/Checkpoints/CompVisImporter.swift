public import FoundationEssentials
import Tensors

/// Reads the autoencoder of a single file, with the names of the CompVis/LDM project or of
/// diffusers, from its weights alone.
///
/// The file can be that of the autoencoder, or of a whole pipeline whose names begin with
/// `first_stage_model.` or `vae.`. The settings follow from the shapes, but for the scale of the
/// latents (``ImportOptions/family``) and the groups of the norms, which are 32.
public struct CompVisImporter: CheckpointImporter {
  /// The importer.
  public init() {}

  /// Whether `url` is a file.
  public func recognizes(_ url: URL) -> Bool { url.isExistingFile }

  /// Reads the autoencoder of a file.
  ///
  /// - Throws: ``CheckpointError`` where the file is wrong, or holds no autoencoder.
  public func importModel(
    at url: URL, options: ImportOptions
  ) throws(CheckpointError) -> ImportedModel {
    let checkpoint = try Self.renamed(try Checkpoint(contentsOf: url))
    let configuration = try AutoencoderShapes(checkpoint).configuration(family: options.family)
    return ImportedModel(
      className: "AutoencoderKL", configuration: configuration, checkpoint: checkpoint)
  }

  /// The autoencoder of a checkpoint, with diffusers' names.
  package static func renamed(_ checkpoint: Checkpoint) throws(CheckpointError) -> Checkpoint {
    let names = checkpoint.names
    let prefix =
      ["first_stage_model.", "vae."].first { prefix in
        names.contains { $0.hasPrefix(prefix + "decoder.") }
      } ?? ""
    let own = try checkpoint.renamed { name in
      guard name.hasPrefix(prefix) else { return nil }
      let name = String(name.dropFirst(prefix.count))
      let isForeign = ["model_ema.", "loss."].contains { name.hasPrefix($0) }
      return isForeign ? nil : name
    }
    let levels = own.names.compactMap { name -> Int? in
      guard name.hasPrefix("decoder.up.") else { return nil }
      return String(name.dropFirst("decoder.up.".count)).leadingLayerNumber
    }
    let levelCount = (levels.max() ?? -1) + 1
    return try DiffusersImporter.modernized(
      try own.renamed { diffusersName($0, levelCount: levelCount) })
  }

  /// The name that diffusers gives to the tensor `name` of an autoencoder with `levelCount` levels.
  ///
  /// Names that aren't CompVis' stay as they are.
  package static func diffusersName(_ name: String, levelCount: Int) -> String {
    var parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard parts.count >= 3, parts[0] == "encoder" || parts[0] == "decoder" else { return name }
    switch parts[1] {
    case "norm_out": parts[1] = "conv_norm_out"
    case "mid": renameMiddle(&parts)
    case "down": renameLevel(&parts, blocks: "down_blocks", index: { $0 })
    case "up": renameLevel(&parts, blocks: "up_blocks", index: { levelCount - 1 - $0 })
    default: return name
    }
    return parts.joined(separator: ".")
  }

  /// `mid.block_1.…` and `mid.attn_1.…`.
  private static func renameMiddle(_ parts: inout [String]) {
    switch parts[2] {
    case "block_1": parts.replaceSubrange(1...2, with: ["mid_block", "resnets", "0"])
    case "block_2": parts.replaceSubrange(1...2, with: ["mid_block", "resnets", "1"])
    case "attn_1":
      parts.replaceSubrange(1...2, with: ["mid_block", "attentions", "0"])
      renameAttention(&parts)
    default: return
    }
    renameShortcut(&parts)
  }

  /// `down.i.block.j.…`, `down.i.attn.j.…`, `down.i.downsample.conv.…`; `up` alike.
  private static func renameLevel(
    _ parts: inout [String], blocks: String, index newIndex: (Int) -> Int
  ) {
    guard parts.count >= 5, let index = parts[2].leadingLayerNumber else { return }
    parts[1] = blocks
    parts[2] = String(newIndex(index))
    switch parts[3] {
    case "block": parts[3] = "resnets"
    case "attn":
      parts[3] = "attentions"
      renameAttention(&parts)
    case "downsample": parts.replaceSubrange(3...3, with: ["downsamplers", "0"])
    case "upsample": parts.replaceSubrange(3...3, with: ["upsamplers", "0"])
    default: return
    }
    renameShortcut(&parts)
  }

  private static func renameAttention(_ parts: inout [String]) {
    let names = [
      "norm": "group_norm", "q": "to_q", "k": "to_k", "v": "to_v", "proj_out": "to_out.0",
    ]
    let index = parts.count - 2
    parts[index] = names[parts[index]] ?? parts[index]
  }

  private static func renameShortcut(_ parts: inout [String]) {
    let index = parts.count - 2
    if parts[index] == "nin_shortcut" { parts[index] = "conv_shortcut" }
  }
}
