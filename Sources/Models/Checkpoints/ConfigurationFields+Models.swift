import Tensors

extension ConfigurationFields {
  /// A list of numbers; nil where the field is absent or `null`.
  ///
  /// - Throws: ``CheckpointError/field(path:name:expected:found:)`` where it is something else.
  func numbers(_ name: String) throws(CheckpointError) -> [Float]? {
    guard has(name) else { return nil }
    guard case .array(let elements)? = values[name] else {
      throw .field(
        path: source, name: name, expected: "a list of numbers",
        found: values[name]?.kind ?? "absent")
    }
    var numbers: [Float] = []
    for element in elements {
      switch element {
      case .integer(let value): numbers.append(Float(value))
      case .number(let value): numbers.append(Float(value))
      default:
        throw .field(
          path: source, name: name, expected: "a list of numbers",
          found: "a list with \(element.kind)")
      }
    }
    return numbers
  }

  /// The error for a configuration that can't be built.
  func unsupported(_ reason: String) -> CheckpointError {
    .unknownModel(source: source, reason: reason)
  }
}
