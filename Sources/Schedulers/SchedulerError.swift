public import Tensors

/// Why a scheduler can't be had, or can't do what is asked of it.
public enum SchedulerError: Error, Hashable, CustomStringConvertible {
  /// Something can't be read; the system's reason.
  case unreadable(path: String, reason: String)
  /// A JSON file that isn't one.
  case json(source: String, JSONError)
  /// A field of a file is of another type.
  case field(source: String, name: String, expected: String, found: String)
  /// The file names a class that isn't known.
  case unknownClass(source: String, name: String)
  /// A name that no scheduler has.
  case unknownName(String)
  /// A setting is beyond what makes sense.
  case outOfRange(name: String, value: String, expected: String)
  /// A setting that diffusers knows and that can't be followed here.
  case unsupported(source: String, name: String, value: String)
  /// Settings that exclude each other.
  case contradiction(String)
  /// So many steps can't be made.
  case steps(Int, reason: String)

  /// What is wrong, and what to do.
  public var description: String {
    switch self {
    case .unreadable(let path, let reason): "\(path): \(reason)"
    case .json(let source, let error): "\(source): \(error); fetch the file again"
    case .field(let source, let name, let expected, let found):
      "\(source): \"\(name)\" should be \(expected) and is \(found); correct it"
    case .unknownClass(let source, let name):
      "\(source): the scheduler \(name) is unknown; choose one of "
        + SchedulerConfiguration.ClassName.allCases.map(\.rawValue).joined(separator: ", ")
    case .unknownName(let name):
      "no scheduler is named \(name); choose one of "
        + SchedulerName.allCases.map(\.rawValue).joined(separator: ", ")
    case .outOfRange(let name, let value, let expected):
      "\(name) is \(value); it has to be \(expected)"
    case .unsupported(let source, let name, let value):
      "\(source): \"\(name)\" is \(value), which isn't supported; take it out, or choose another "
        + "scheduler"
    case .contradiction(let reason): reason
    case .steps(let count, let reason): "\(count) steps can't be made: \(reason)"
    }
  }
}
