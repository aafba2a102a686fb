public import LatentFiles

/// Why a picture can't be encoded, or a latent decoded.
public enum CodecError: Error, Sendable, Equatable {
  /// The encoder gave infinity or NaN, or the file holds it.
  case nonFiniteLatents(model: String)
  /// The decoder gave infinity or NaN.
  case nonFinitePixels(model: String)
  /// A deterministic autoencoder was asked for a sample, or for the moments.
  case noPosterior(model: String, className: String, values: LatentMetadata.Values)
  /// The file was made with other weights.
  case otherModel(wanted: LatentModel, given: LatentModel)
  /// The file's latent is not of the model's shape.
  case otherShape(channels: Int, factor: Int, expectedChannels: Int, expectedFactor: Int)
  /// The picture needs more memory than there is.
  case tooLarge(height: Int, width: Int, needed: Int, available: Int)
}

extension CodecError: CustomStringConvertible {
  /// What is wrong, and what to do.
  public var description: String {
    switch self {
    case .nonFiniteLatents(let model):
      "the latent has infinite or undefined numbers with the model \(model); nothing was written. "
        + "Check the model with `lvae models show`, and the picture"
    case .nonFinitePixels(let model):
      "the model \(model) gives infinite or undefined pixels for this latent; nothing was written"
    case .noPosterior(let model, let className, let values):
      "\(model) is an \(className), which has no variance to store as `\(values.rawValue)`; "
        + "use --posterior mean"
    case .otherModel(let wanted, let given):
      "it was made with the model \(wanted.name) (\(wanted.className), weights "
        + "\(wanted.sha256.prefix(12))…), and \(given.name) has the weights "
        + "\(given.sha256.prefix(12))…; name the right one with --model, or add it once with "
        + "`lvae models add PATH`"
    case .otherShape(let channels, let factor, let expectedChannels, let expectedFactor):
      "the latent has \(channels) channels and a factor of \(factor), and its model has "
        + "\(expectedChannels) and \(expectedFactor); the file's header is wrong: encode it again"
    case .tooLarge(let height, let width, let needed, let available):
      "the picture of \(width)×\(height) needs at least \(ByteCount(bytes: needed)) of memory, and "
        + "\(ByteCount(bytes: available)) may be taken; raise --memory, make it smaller, or use a "
        + "machine with more"
    }
  }
}
