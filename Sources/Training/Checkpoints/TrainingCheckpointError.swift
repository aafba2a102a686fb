public import Tensors

/// Why a run can't go on from a checkpoint.
public enum TrainingCheckpointError: Error, Hashable, Sendable {
  /// The file is no safetensors file, or not whole.
  case unreadable(path: String, reason: String)
  /// The file's metadata aren't those of a checkpoint.
  case notACheckpoint(path: String, reason: String)
  /// The file's checksum isn't that of what it holds.
  case checksum(path: String)
  /// The checkpoint is of a run with other settings or another network.
  case otherRun(path: String, differences: [String])
  /// A tensor isn't there, or has another shape.
  case missing(tensor: String, shape: Shape, found: Shape?)
  /// A count isn't there.
  case noCounter(String)
}

extension TrainingCheckpointError: CustomStringConvertible {
  /// What is wrong, and what to do.
  public var description: String {
    switch self {
    case .unreadable(let path, let reason): reason.contains(path) ? reason : "\(path): \(reason)"
    case .notACheckpoint(let path, let reason):
      "\(path): this isn't a checkpoint of a training run (\(reason))"
    case .checksum(let path):
      "\(path): the checksum is wrong, so the file is damaged; remove it to go on from an earlier one"
    case .otherRun(let path, let differences):
      "\(path) is from another run: \(differences.joined(separator: "; ")). "
        + "Use the settings it was made with, or start a new run in another folder"
    case .missing(let tensor, let shape, let found):
      found.map { "the checkpoint's \(tensor) is \($0) where the network has \(shape)" }
        ?? "the checkpoint has no \(tensor), which is \(shape) in the network"
    case .noCounter(let name): "the checkpoint has no count \(name); it is of another kind of run"
    }
  }
}
