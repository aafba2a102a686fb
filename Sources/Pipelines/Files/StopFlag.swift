import Synchronization

/// Says that work should end: set once, read by any thread.
package final class StopFlag: Sendable {
  private let value = Atomic(false)
  private let others: [StopFlag]

  /// A flag that counts as set, too, when one of the others is.
  package init(_ others: StopFlag...) {
    self.others = others
  }

  /// Whether work should end after the item in hand.
  package var isSet: Bool {
    value.load(ordering: .acquiring) || others.contains { $0.isSet }
  }

  /// Asks for the end.
  package func set() {
    value.store(true, ordering: .releasing)
  }
}
