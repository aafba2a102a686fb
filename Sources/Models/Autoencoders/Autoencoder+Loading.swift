package import Tensors

/// The halves of an autoencoder; who needs one only saves the other's memory.
public struct AutoencoderHalves: OptionSet, Sendable {
  /// A bit for each half.
  public let rawValue: Int

  /// A set of halves.
  public init(rawValue: Int) {
    self.rawValue = rawValue
  }

  /// Pictures → latents.
  public static let encoder = AutoencoderHalves(rawValue: 1)
  /// Latents → pictures.
  public static let decoder = AutoencoderHalves(rawValue: 2)
  /// The whole autoencoder.
  public static let both: AutoencoderHalves = [.encoder, .decoder]

  /// Whether the parameter of this name belongs to one of these halves.
  func contain(parameter name: String) -> Bool {
    let half: AutoencoderHalves =
      name.hasPrefix("decoder.") || name.hasPrefix("post_quant_conv.") ? .decoder : .encoder
    return contains(half)
  }
}

extension ImportedModel {
  /// The autoencoder, with its weights.
  ///
  /// - Parameters:
  ///   - halves: Which weights are kept; those of the other half are zeros that take no memory.
  ///   - inspect: Shown each tensor as the checkpoint has it, also of the other half, on any thread
  ///     and in any order.
  /// - Returns: The autoencoder.
  /// - Throws: ``CheckpointError`` where the class is no autoencoder, the configuration can't be
  ///   built, or the weights aren't the configuration's.
  package func autoencoder(
    _ halves: AutoencoderHalves = .both, inspect: (String, Tensor) -> Void = { _, _ in }
  ) throws -> any Autoencoder {
    var model = try emptyAutoencoder()
    try WeightLoader.load(
      checkpoint, into: &model, where: halves.contain(parameter:), inspect: inspect)
    return model
  }

  /// The autoencoder, with zeros for weights.
  private func emptyAutoencoder() throws(CheckpointError) -> any Autoencoder {
    switch className {
    case AutoencoderKL.className:
      return AutoencoderKL(try AutoencoderKL.Configuration(configuration))
    case AutoencoderTiny.className:
      return AutoencoderTiny(try AutoencoderTiny.Configuration(configuration))
    case AutoencoderCompact.className:
      return AutoencoderCompact(try AutoencoderCompact.Configuration(configuration))
    default:
      let known = [
        AutoencoderKL.className, AutoencoderTiny.className, AutoencoderCompact.className,
      ]
      throw configuration.unsupported(
        "the class \(className) is no autoencoder that can be loaded "
          + "(known: \(known.joined(separator: ", ")))")
    }
  }
}

extension Autoencoder {
  /// The `config.json` of a folder that diffusers loads.
  public func configurationJSON() throws -> String {
    try configuration.json(className: Self.className)
  }
}
