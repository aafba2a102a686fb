import Synchronization

/// Says that work should end: set once, read by any thread.
package final class StopFlag: Sendable {
  private let value = Atomic(false)

  package init() {}

  /// Whether work should end after the item in hand.
  package var isSet: Bool { value.load(ordering: .acquiring) }

  /// Asks for the end.
  package func set() {
    value.store(true, ordering: .releasing)
  }
}
