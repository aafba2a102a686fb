/// Why a file of another program can't be taken over, or made.
package enum InterchangeError: Error, Equatable, Sendable, CustomStringConvertible {
  /// It isn't of the format, or is damaged.
  case damaged(format: String, reason: String)
  /// It is of the format, and holds what isn't known here.
  case unsupported(format: String, reason: String)
  /// It is larger than the limit.
  case tooLarge(format: String, byteCount: Int, limit: Int)
  /// It holds no latent, or several.
  case latents(found: [String])
  /// The latent's shape doesn't fit the model.
  case shape(found: [Int], model: String, channels: Int)
  /// It was made with other weights.
  case otherModel(found: String, model: String, sha256: String)

  package var description: String {
    switch self {
    case .damaged(let format, let reason):
      "this is no whole \(format) file: \(reason); make or copy it again"
    case .unsupported(let format, let reason):
      "this \(format) file can't be taken over: \(reason)"
    case .tooLarge(let format, let byteCount, let limit):
      "this \(format) file has a part of \(byteCount) bytes, and the limit is \(limit)"
    case .latents(let found):
      found.isEmpty
        ? "it holds no latent under a name that is known (latents, latents_HxW, latent)"
        : "it holds the latents of several sizes: \(found.joined(separator: ", ")); name one with "
          + "--array"
    case .shape(let found, let model, let channels):
      "it has the shape \(found), and latents of \(model) are \(channels)×H×W, or \(2 * channels)×H×W "
        + "with their deviations; name the model that made it with --model"
    case .otherModel(let found, let model, let sha256):
      "it says that it was made with the weights \(found.prefix(12))…, and \(model) has the weights "
        + "\(sha256.prefix(12))…; name the right one with --model"
    }
  }
}
