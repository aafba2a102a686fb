/// Why nothing can be generated.
public enum GenerationError: Error, Sendable, Equatable {
  /// The model has no channel of this number.
  case noSuchChannel(Int, count: Int)
  /// There are fewer principal components than are wanted.
  case tooManyComponents(Int, count: Int)
  /// The latents that directions are measured on are all alike.
  case noVariance
  /// A picture or `.latent` file can't be taken.
  case unusable(path: String, reason: String)
}

extension GenerationError: CustomStringConvertible {
  /// What is wrong, and what to do.
  public var description: String {
    switch self {
    case .noSuchChannel(let channel, let count):
      "there is no channel \(channel): the model's latents have the channels 0 to \(count - 1)"
    case .tooManyComponents(let wanted, let count):
      "\(wanted) components are wanted, and latents of \(count) channels have 1 to \(count)"
    case .noVariance:
      "the latents are alike at all positions, or not finite; name a folder with more pictures"
    case .unusable(let path, let reason):
      reason.contains(path) ? reason : "\(path): \(reason)"
    }
  }
}
