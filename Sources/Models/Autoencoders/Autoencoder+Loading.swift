import Foundation
import Tensors

extension ImportedModel {
  /// The autoencoder, with its weights.
  ///
  /// - Throws: ``CheckpointError`` where the class is no autoencoder, the configuration can't be
  ///   built, or the weights aren't the configuration's.
  public func autoencoder() throws -> any Autoencoder {
    switch className {
    case AutoencoderKL.className:
      var model = AutoencoderKL(try AutoencoderKL.Configuration(configuration))
      try WeightLoader.load(checkpoint, into: &model)
      return model
    case AutoencoderTiny.className:
      var model = AutoencoderTiny(try AutoencoderTiny.Configuration(configuration))
      try WeightLoader.load(checkpoint, into: &model)
      return model
    default:
      throw configuration.unsupported(
        "the class \(className) is no autoencoder that can be loaded "
          + "(known: \(AutoencoderKL.className), \(AutoencoderTiny.className))")
    }
  }
}

extension Autoencoder {
  /// The `config.json` of a folder that diffusers loads.
  public func configurationJSON() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    let named = NamedConfiguration(className: Self.className, configuration: configuration)
    return String(decoding: try encoder.encode(named), as: UTF8.self) + "\n"
  }
}

/// A configuration with the name of its class.
private struct NamedConfiguration: Encodable {
  let className: String
  let configuration: any Encodable

  private enum Keys: String, CodingKey { case className = "_class_name" }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Keys.self)
    try container.encode(className, forKey: .className)
    try configuration.encode(to: encoder)
  }
}
