import Foundation
public import Models
import Tensors

/// The models that are part of the program, so that every command works without a download.
public enum EmbeddedModels {
  /// The one that is meant where none is named.
  public static let defaultName = "photo"

  /// Their names.
  public static let names: [String] = EmbeddedFiles.paths.compactMap { path in
    path.hasSuffix("/\(ModelStore.entryName)") ? String(path.prefix { $0 != "/" }) : nil
  }

  /// What is known of all of them.
  public static var entries: [ModelStore.Entry] { names.compactMap(entry(named:)) }

  /// What is known of a model without loading it; nil if there is none of this name.
  public static func entry(named name: String) -> ModelStore.Entry? {
    EmbeddedFiles.bytes(of: "\(name)/\(ModelStore.entryName)").flatMap { bytes in
      try? JSONDecoder().decode(ModelStore.Entry.self, from: Data(bytes))
    }
  }

  /// The model's card, in Markdown: what it is for, what it was trained with, its figures.
  public static func card(named name: String) -> String? {
    EmbeddedFiles.bytes(of: "\(name)/README.md").map { String(decoding: $0, as: UTF8.self) }
  }

  /// Loads a model; nil if there is none of this name.
  ///
  /// - Throws: `CheckpointError`, if the program was built with files that are no model.
  public static func load(
    _ name: String, halves: AutoencoderHalves = .both
  ) throws -> PretrainedAutoencoder? {
    guard let config = EmbeddedFiles.bytes(of: "\(name)/config.json"),
      let weights = EmbeddedFiles.bytes(of: "\(name)/diffusion_pytorch_model.safetensors")
    else { return nil }
    let source = "the program's model \(name)"
    let imported = try ImportedModel(configuration: config, safetensors: weights, source: source)
    return try PretrainedAutoencoder(imported, halves: halves, name: name)
  }
}
