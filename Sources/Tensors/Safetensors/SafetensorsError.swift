/// What is wrong with a safetensors file, or with what should become one.
public struct SafetensorsError: Error, Hashable, CustomStringConvertible {
  /// The facts of a failure.
  public enum Problem: Hashable, Sendable {
    /// The file can't be read; the system's reason.
    case unreadable(String)
    /// Fewer bytes than the format needs at least.
    case tooShort(byteCount: Int)
    /// The header claims a size that the file, or the limit, doesn't allow.
    case headerSize(claimed: UInt64, available: Int, limit: Int)
    /// The header isn't JSON, or doesn't start with `{`.
    case header(JSONError)
    /// The header says something else than the format asks for.
    case field(path: String, expected: String, found: String)
    /// A type of scalars that this build doesn't know.
    case unknownScalarType(tensor: String, name: String)
    /// A tensor's bytes aren't within the file.
    case outside(tensor: String, begin: Int, end: Int, bodyByteCount: Int)
    /// A tensor's bytes don't have the size that its shape and type ask for.
    case size(tensor: String, shape: [Int], type: ScalarType, found: Int)
    /// The product of a tensor's extents is out of range.
    case overflow(tensor: String, shape: [Int])
    /// Bytes that no tensor, or more than one, claims.
    case layout(expectedBegin: Int, foundBegin: Int, tensor: String)
    /// Bytes after the last tensor.
    case trailingBytes(expected: Int, found: Int)
    /// No tensor of this name.
    case missing(tensor: String)
    /// The tensor isn't of the asked kind.
    case notIntegers(tensor: String, type: ScalarType)
    /// A name that can't be written, or twice.
    case unwritableName(String)
    /// A value out of the range of the type that it should be written as.
    case outOfRange(tensor: String, value: Float, type: ScalarType)
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

extension SafetensorsError.Problem {
  fileprivate var text: String {
    switch self {
    case .unreadable(let reason): reason
    case .tooShort(let byteCount):
      "\(byteCount) bytes are too few for a safetensors file; \(Self.fetchAgain)"
    case .headerSize(let claimed, let available, let limit):
      """
      the header claims \(claimed) bytes, where the file has \(available) and the limit is \
      \(limit); it is cut short, or no safetensors file: \(Self.fetchAgain)
      """
    case .header(let error): "the header is \(error.description); \(Self.fetchAgain)"
    case .field(let path, let expected, let found):
      "\(path) in the header should be \(expected) and is \(found); write the file anew"
    case .unknownScalarType(let tensor, let name):
      "tensor \"\(tensor)\" has scalars of type \(name), which this build doesn't read; "
        + "convert it to F32, F16 or BF16"
    case .outside(let tensor, let begin, let end, let bodyByteCount):
      """
      tensor "\(tensor)" should lie in bytes \(begin)..<\(end) of \(bodyByteCount) that the file \
      has for tensors; \(Self.fetchAgain)
      """
    case .size(let tensor, let shape, let type, let found):
      """
      tensor "\(tensor)" of shape \(shape) and type \(type.rawValue) has \(found) bytes, which \
      doesn't fit; write the file anew
      """
    case .overflow(let tensor, let shape):
      "tensor \"\(tensor)\" has a shape out of range, \(shape); write the file anew"
    case .layout(let expectedBegin, let foundBegin, let tensor):
      """
      tensor "\(tensor)" starts at byte \(foundBegin) where \(expectedBegin) was expected: tensors \
      overlap or leave a hole; write the file anew
      """
    case .trailingBytes(let expected, let found):
      "tensors take \(expected) bytes and the file has \(found) for them; \(Self.fetchAgain)"
    case .missing(let tensor):
      "there is no tensor \"\(tensor)\"; check that the file belongs to this model"
    case .notIntegers(let tensor, let type):
      "tensor \"\(tensor)\" of type \(type.rawValue) can't be read as integers; read it as a tensor"
    case .unwritableName(let name):
      "a tensor can't be named \"\(name)\": the name is reserved, or was given twice; rename it"
    case .outOfRange(let tensor, let value, let type):
      """
      tensor "\(tensor)" holds \(value), which is out of the range of \(type.rawValue); store it \
      as \(ScalarType.bfloat16.rawValue) or \(ScalarType.float32.rawValue)
      """
    }
  }

  private static let fetchAgain = "fetch or copy the file again"
}
