public import FoundationEssentials
import Tensors

/// Reads a folder that diffusers saved: `config.json` beside the weights.
///
/// Also the folder of a whole pipeline, of which its `vae` is meant, and older names of attention
/// weights.
public struct DiffusersImporter: CheckpointImporter {
  /// The importer.
  public init() {}

  /// Whether `url` is a folder with a `config.json`, its own or that of its `vae`.
  public func recognizes(_ url: URL) -> Bool {
    Self.modelFolder(url) != nil
  }

  /// Reads the model of a folder.
  ///
  /// - Throws: ``CheckpointError`` where a file is missing or wrong.
  public func importModel(
    at url: URL, options: ImportOptions
  ) throws(CheckpointError) -> ImportedModel {
    guard let folder = Self.modelFolder(url) else {
      throw .missingFile(folder: url.path, expected: ["config.json"])
    }
    let configuration = try ConfigurationFields(contentsOf: folder.appending(path: "config.json"))
    guard case .string(let className)? = configuration.values["_class_name"] else {
      throw .field(
        path: configuration.source, name: "_class_name", expected: "the name of a class",
        found: configuration.values["_class_name"]?.kind ?? "absent")
    }
    let candidates = Self.weightFiles(variant: options.variant)
    guard let file = candidates.first(where: { folder.appending(path: $0).isExistingFile }) else {
      throw .missingFile(folder: folder.path, expected: candidates)
    }
    let checkpoint = try Checkpoint(contentsOf: folder.appending(path: file))
    return ImportedModel(
      className: className, configuration: configuration,
      checkpoint: try Self.modernized(checkpoint))
  }

  private static func modelFolder(_ url: URL) -> URL? {
    [url, url.appending(path: "vae")].first { $0.appending(path: "config.json").isExistingFile }
  }

  /// The names that weights can have, best first.
  static func weightFiles(variant: String?) -> [String] {
    let variants = variant.map { [".\($0)"] } ?? ["", ".fp16"]
    let stems = ["diffusion_pytorch_model", "model"]
    let safetensors = variants.flatMap { variant in
      stems.flatMap { stem in
        ["\(stem)\(variant).safetensors", "\(stem).safetensors.index\(variant).json"]
          + ["\(stem)\(variant).safetensors.index.json"]
      }
    }
    return safetensors.uniqued + variants.map { "diffusion_pytorch_model\($0).bin" }
  }

  /// The checkpoint with today's names and shapes of attention weights.
  static func modernized(_ checkpoint: Checkpoint) throws(CheckpointError) -> Checkpoint {
    try checkpoint.renamed(modernName).reshaped { entry in
      // A 1×1 convolution is a matrix.
      let isMatrix =
        entry.name.contains(".attentions.") && entry.name.hasSuffix(".weight")
        && entry.shape.rank == 4 && entry.shape[2] == 1 && entry.shape[3] == 1
      return isMatrix ? [entry.shape[0], entry.shape[1]] : nil
    }
  }

  /// Today's name of an attention weight: `query` became `to_q`, and so on.
  static func modernName(_ name: String) -> String? {
    guard name.contains(".attentions.") else { return name }
    var parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard parts.count >= 2, let modern = modernNames[parts[parts.count - 2]] else { return name }
    parts[parts.count - 2] = modern
    return parts.joined(separator: ".")
  }

  private static let modernNames = [
    "query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0",
  ]
}

extension URL {
  /// Whether a file, and not a folder, is there.
  var isExistingFile: Bool {
    var isFolder = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && !isFolder
  }
}

extension [String] {
  /// The elements without repetitions, in order.
  fileprivate var uniqued: [String] {
    var seen: Set<String> = []
    return filter { seen.insert($0).inserted }
  }
}
