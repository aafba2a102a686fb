/// What is wrong with a JSON document, and where.
public struct JSONError: Error, Hashable, CustomStringConvertible {
  /// The offset in bytes from the document's start.
  public let offset: Int
  /// What is wrong there.
  public let reason: String

  package init(offset: Int, reason: String) {
    self.offset = offset
    self.reason = reason
  }

  /// What is wrong, and where.
  public var description: String { "not valid JSON: \(reason), at byte \(offset)" }
}
