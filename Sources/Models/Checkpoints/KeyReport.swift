public import Tensors

/// How the tensors that a model needs differ from those that a checkpoint has.
public struct KeyReport: Hashable, Sendable, CustomStringConvertible {
  /// A tensor whose shape isn't the model's.
  public struct Misfit: Hashable, Sendable {
    /// The tensor's name.
    public let name: String
    /// The shape that the model needs.
    public let expected: Shape
    /// The shape that the checkpoint has.
    public let found: Shape
  }

  /// Names that the model needs and the checkpoint doesn't have, sorted.
  public let missing: [String]
  /// Names that the checkpoint has and the model doesn't know, sorted.
  public let unexpected: [String]
  /// Tensors of other shapes, sorted by name.
  public let misshaped: [Misfit]

  /// Compares what a model needs with what there is.
  public init(expected: [String: Shape], found: [String: Shape]) {
    missing = expected.keys.filter { found[$0] == nil }.sorted()
    unexpected = found.keys.filter { expected[$0] == nil }.sorted()
    misshaped = expected.compactMap { name, shape in
      guard let other = found[name], other != shape else { return nil }
      return Misfit(name: name, expected: shape, found: other)
    }.sorted { $0.name < $1.name }
  }

  /// Whether there is no difference.
  public var isEmpty: Bool { missing.isEmpty && unexpected.isEmpty && misshaped.isEmpty }

  /// The differences, a line each, at most ten of a kind.
  public var description: String {
    if isEmpty { return "all tensors match" }
    let misfits = misshaped.map { "\($0.name): needed \($0.expected), found \($0.found)" }
    return
      (Self.section("missing", missing) + Self.section("unexpected", unexpected)
      + Self.section("of another shape", misfits)).joined(separator: "\n")
  }

  private static func section(_ title: String, _ lines: [String]) -> [String] {
    if lines.isEmpty { return [] }
    let rest = lines.count - 10
    return ["\(lines.count) \(title):"] + lines.prefix(10).map { "  \($0)" }
      + (rest > 0 ? ["  … and \(rest) more"] : [])
  }
}
