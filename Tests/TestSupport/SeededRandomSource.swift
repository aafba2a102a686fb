/// Numbers that look random and are the same in each run: Knuth's linear congruential generator.
public struct SeededRandomSource: RandomNumberGenerator, Sendable {
  private var state: UInt64

  /// The numbers that follow `state`.
  public init(state: UInt64) {
    self.state = state
  }

  /// The next number; its upper half looks more random than its lower.
  public mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state
  }
}
