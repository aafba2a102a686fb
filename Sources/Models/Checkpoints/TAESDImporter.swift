public import FoundationEssentials
import Tensors

/// Reads the tiny autoencoders of the TAESD project: a pair of files `…_encoder` and `…_decoder`.
///
/// Their layers are numbered as in the project's own code, where the decoder's first is a clamp
/// without weights; diffusers doesn't count it. The settings follow from the shapes.
public struct TAESDImporter: CheckpointImporter {
  /// The importer.
  public init() {}

  private static let extensions = ["safetensors", "pth", "pt", "bin"]

  /// Whether `url` is a file of a pair, or a folder with one.
  public func recognizes(_ url: URL) -> Bool { Self.pair(at: url) != nil }

  /// Reads the autoencoder of a pair.
  ///
  /// - Throws: ``CheckpointError`` where a file is missing or wrong.
  public func importModel(
    at url: URL, options: ImportOptions
  ) throws(CheckpointError) -> ImportedModel {
    guard let pair = Self.pair(at: url) else {
      throw .missingFile(folder: url.path, expected: ["…_encoder.safetensors", "…_encoder.pth"])
    }
    guard pair.decoder.isExistingFile else {
      throw .missingFile(
        folder: pair.decoder.deletingLastPathComponent().path,
        expected: [pair.decoder.lastPathComponent])
    }
    return try Self.importModel(encoder: pair.encoder, decoder: pair.decoder)
  }

  /// Reads the autoencoder of two files.
  ///
  /// - Throws: ``CheckpointError`` where a file is wrong.
  public static func importModel(
    encoder: URL, decoder: URL
  ) throws(CheckpointError) -> ImportedModel {
    let halves = try [
      Checkpoint(contentsOf: encoder).renamed { encoderName($0) },
      decoderRenamed(Checkpoint(contentsOf: decoder)),
    ]
    let checkpoint = try Checkpoint(
      merging: halves, source: encoder.deletingLastPathComponent().path)
    return ImportedModel(
      className: "AutoencoderTiny", configuration: try configuration(of: checkpoint),
      checkpoint: checkpoint)
  }

  /// The pair that `url` is one of, or that lies in the folder `url`, the first by name.
  ///
  /// The decoder need not exist.
  private static func pair(at url: URL) -> (encoder: URL, decoder: URL)? {
    if url.isExistingFile {
      guard let stem = stem(of: url.lastPathComponent) else { return nil }
      return pair(stem: stem, in: url.deletingLastPathComponent())
    }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []
    return names.sorted().lazy.compactMap(stem).compactMap { pair(stem: $0, in: url) }.first
  }

  private static func pair(stem: String, in folder: URL) -> (encoder: URL, decoder: URL)? {
    func file(_ half: String) -> URL? {
      extensions.lazy.map { folder.appending(path: "\(stem)_\(half).\($0)") }
        .first(where: \.isExistingFile)
    }
    guard let encoder = file("encoder") else { return nil }
    let missing = folder.appending(path: "\(stem)_decoder.\(encoder.pathExtension)")
    return (encoder, file("decoder") ?? missing)
  }

  /// What stands before `_encoder` or `_decoder` and an ending in the name of a file.
  private static func stem(of name: String) -> String? {
    for ending in extensions {
      for half in ["_encoder.\(ending)", "_decoder.\(ending)"] where name.hasSuffix(half) {
        return String(name.dropLast(half.count))
      }
    }
    return nil
  }

  private static func encoderName(_ name: String) -> String {
    name.hasPrefix("encoder.layers.") ? name : "encoder.layers.\(name)"
  }

  /// Numbers a decoder's layers without the clamp, if they are numbered with it.
  private static func decoderRenamed(
    _ checkpoint: Checkpoint
  ) throws(CheckpointError) -> Checkpoint {
    // Where the clamp is counted, number 0 has no weights.
    let shift = checkpoint.entry(named: "0.weight") == nil ? 1 : 0
    return try checkpoint.renamed { name in
      guard let number = name.leadingLayerNumber, number >= shift else {
        return name.hasPrefix("decoder.layers.") ? name : "decoder.layers.\(name)"
      }
      return "decoder.layers.\(number - shift)\(name.drop { $0 != "." })"
    }
  }
}

extension TAESDImporter {
  /// The settings that the shapes of a checkpoint with diffusers' names tell.
  package static func configuration(
    of checkpoint: Checkpoint
  ) throws(CheckpointError) -> ConfigurationFields {
    let encoder = try layers(of: "encoder", in: checkpoint)
    let decoder = try layers(of: "decoder", in: checkpoint)
    guard let encoderEnd = encoder.convolutions.last, let decoderEnd = decoder.convolutions.last,
      let encoderStart = encoder.convolutions.first, let decoderStart = decoder.convolutions.first,
      encoderEnd.outputs == decoderStart.inputs
    else {
      throw .unknownModel(
        source: checkpoint.source, reason: "encoder and decoder aren't those of one autoencoder")
    }
    var values: JSONObject = [
      "_class_name": .string("AutoencoderTiny"),
      "act_fn": .string("relu"),
      "decoder_block_out_channels": JSONValue(decoder.convolutions.dropLast().map(\.outputs)),
      "encoder_block_out_channels": JSONValue(encoder.convolutions.dropLast().map(\.outputs)),
      "force_upcast": .boolean(false),
      "in_channels": JSONValue(encoderStart.inputs),
      "latent_channels": JSONValue(encoderEnd.outputs),
      "latent_magnitude": JSONValue(3),
      "latent_shift": JSONValue(0.5),
      "num_decoder_blocks": JSONValue(decoder.blockCounts),
      "num_encoder_blocks": JSONValue(encoder.blockCounts),
      "out_channels": JSONValue(decoderEnd.outputs),
      "scaling_factor": JSONValue(1),
      "shift_factor": JSONValue(0),
      "upsample_fn": .string("nearest"),
      "upsampling_scaling_factor": JSONValue(2),
    ]
    if checkpoint.names.contains(where: { $0.contains(".pool.") }) {
      values["use_midblock_gn"] = .boolean(true)
    }
    return ConfigurationFields(values, source: "\(checkpoint.source) (inferred)")
  }

  private struct Layers {
    /// The convolutions between the blocks, in order.
    var convolutions: [(inputs: Int, outputs: Int)] = []
    /// How many blocks follow each convolution but the last.
    var blockCounts: [Int] = []
  }

  /// What the layers of one half are: convolutions, and blocks that follow them.
  private static func layers(
    of half: String, in checkpoint: Checkpoint
  ) throws(CheckpointError) -> Layers {
    let prefix = "\(half).layers."
    let numbers = Set(
      checkpoint.names.filter { $0.hasPrefix(prefix) }.compactMap { name in
        String(name.dropFirst(prefix.count)).leadingLayerNumber
      })
    var layers = Layers()
    for number in numbers.sorted() {
      if let shape = checkpoint.entry(named: "\(prefix)\(number).weight")?.shape, shape.rank == 4 {
        layers.convolutions.append((shape[1], shape[0]))
        layers.blockCounts.append(0)
      } else if checkpoint.entry(named: "\(prefix)\(number).conv.0.weight") != nil,
        !layers.blockCounts.isEmpty
      {
        layers.blockCounts[layers.blockCounts.count - 1] += 1
      } else {
        throw .unknownModel(
          source: checkpoint.source, reason: "layer \(prefix)\(number) isn't one of TAESD's")
      }
    }
    guard layers.convolutions.count >= 2, layers.blockCounts.removeLast() == 0 else {
      throw .unknownModel(source: checkpoint.source, reason: "the \(half) isn't one of TAESD's")
    }
    return layers
  }
}
