import Pipelines

/// What one check of a model or a folder found.
public struct Finding: Sendable, Hashable, Encodable {
  /// How bad it is.
  public enum Level: String, Sendable, Hashable, Encodable {
    /// As it should be.
    case fine
    /// It may be meant so; a run works, and one should know.
    case warning
    /// A run would fail, or its result be worthless.
    case wrong
  }

  /// How bad it is.
  public let level: Level
  /// What was checked, in a word or two: `scaling`.
  public let check: String
  /// What was found.
  public let message: String
  /// What to do about it.
  public let advice: String?

  init(_ level: Level, _ check: String, _ message: String, advice: String? = nil) {
    self.level = level
    self.check = check
    self.message = message
    self.advice = advice
  }

  /// A line for people: `✓ scaling  …`.
  public var description: String {
    let mark =
      switch level {
      case .fine: "✓"
      case .warning: "!"
      case .wrong: "✗"
      }
    let space = String(repeating: " ", count: max(1, 14 - check.count))
    return "\(mark) \(check)\(space)\(message)" + (advice.map { "; \($0)" } ?? "")
  }
}
