/// What is wrong with a file of PyTorch's.
public struct TorchArchiveError: Error, Hashable, CustomStringConvertible {
  /// The facts of a failure.
  public enum Problem: Hashable, Sendable {
    /// The file can't be read; the system's reason.
    case unreadable(String)
    /// Neither a zip archive nor PyTorch's older format.
    case unknownFormat
    /// The zip archive breaks a rule of its format.
    case zip(reason: String, member: String?)
    /// The pickle breaks a rule of its format, or does what weights never do.
    case pickle(reason: String, offset: Int)
    /// The pickle names something that weights don't need, such as a function to be called.
    case forbiddenGlobal(module: String, name: String)
    /// A limit is exceeded.
    case limit(what: String, limit: Int)
    /// A tensor that its storage doesn't hold.
    case tensor(name: String, reason: String)
    /// No tensor of this name.
    case missing(tensor: String)
    /// There is no tensor at all.
    case empty
  }

  /// The file's path, or "bytes in memory".
  public let source: String
  /// What is wrong.
  public let problem: Problem

  package init(source: String, problem: Problem) {
    self.source = source
    self.problem = problem
  }

  /// What is wrong, and what to do.
  public var description: String { "\(source): \(problem.text)" }
}

extension TorchArchiveError.Problem {
  fileprivate var text: String {
    switch self {
    case .unreadable(let reason): reason
    case .unknownFormat:
      "is no file of torch.save; give a .pt, .pth, .bin, .ckpt or .safetensors file"
    case .zip(let reason, let member):
      "the zip archive is damaged: \(reason)\(member.map { " (\($0))" } ?? ""); fetch it again"
    case .pickle(let reason, let offset):
      "the pickle can't be read: \(reason), at byte \(offset); save the state_dict alone"
    case .forbiddenGlobal(let module, let name):
      """
      the pickle wants to use \(module).\(name), which weights don't need; nothing was executed. \
      If you trust the file, save its state_dict as safetensors
      """
    case .limit(let what, let limit):
      "\(what) exceeds the limit of \(limit); the file is damaged, or no file of weights"
    case .tensor(let name, let reason):
      "tensor \"\(name)\" can't be read: \(reason); fetch the file again"
    case .missing(let tensor):
      "there is no tensor \"\(tensor)\"; check that the file belongs to this model"
    case .empty: "holds no tensors; save a model's state_dict"
    }
  }
}
