public import Tensors

/// What is wrong with the settings of a run, and where.
public struct TrainingSettingsError: Error, Hashable, Sendable {
  /// The facts of a failure; `path` is the key's: `optimizer.learning_rate`.
  public enum Problem: Hashable, Sendable {
    /// The file can't be read; the system's reason.
    case unreadable(String)
    /// The file isn't JSON.
    case json(JSONError)
    /// There is no such setting; the known one that is spelled most alike, and all there.
    case unknownKey(path: String, nearest: String?, known: [String])
    /// A value of another type or out of range.
    case value(path: String, expected: String, found: String)
    /// A value that doesn't go with others.
    case conflict(path: String, reason: String)
  }

  /// The file's path, or where the settings came from.
  public let source: String
  /// What is wrong.
  public let problem: Problem

  init(source: String, problem: Problem) {
    self.source = source
    self.problem = problem
  }
}

extension TrainingSettingsError: CustomStringConvertible {
  /// What is wrong, and what to do.
  public var description: String {
    let text =
      switch problem {
      case .unreadable(let reason): reason
      case .json(let error): error.description
      case .unknownKey(let path, let nearest?, _):
        "there is no setting \(path); did you mean \(nearest)?"
      case .unknownKey(let path, nil, let known):
        "there is no setting \(path); known there: \(known.joined(separator: ", "))"
      case .value(let path, let expected, let found):
        "\(path) should be \(expected) and is \(found)"
      case .conflict(let path, let reason): "\(path): \(reason)"
      }
    return "\(source): \(text)"
  }
}
