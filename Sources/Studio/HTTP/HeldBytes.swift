import Synchronization

/// The bytes of requests and of their answers that are in memory, over all connections.
package final class HeldBytes: Sendable {
  private let limit: Int
  private let total = Mutex(0)

  /// - Parameter limit: From how many on no more are taken.
  package init(limit: Int) { self.limit = limit }

  /// How many there are.
  package var count: Int { total.withLock { $0 } }

  /// Whether no more are taken.
  package var isFull: Bool { count >= limit }

  /// The bytes of one request and of its answer, none at first.
  package func hold() -> Hold { Hold(of: self) }

  /// What one request and its answer take, until the object is gone.
  package final class Hold: Sendable {
    private let held: HeldBytes
    private let own = Mutex(0)

    fileprivate init(of held: HeldBytes) { self.held = held }

    deinit { release() }

    /// The bytes so far are no longer in memory.
    package func release() {
      let count = own.withLock { count in
        defer { count = 0 }
        return count
      }
      held.total.withLock { $0 -= count }
    }

    /// Counts bytes that are in memory anyway; says whether more may come.
    @discardableResult
    package func add(_ count: Int) -> Bool {
      own.withLock { $0 += count }
      return held.total.withLock { total in
        total += count
        return total <= held.limit
      }
    }
  }
}
