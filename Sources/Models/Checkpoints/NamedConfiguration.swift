import Foundation

extension Encodable {
  /// The `config.json` of a model with this configuration.
  func json(className: String) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    let named = NamedConfiguration(className: className, configuration: self)
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
