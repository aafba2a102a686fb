import Foundation

/// State that several threads share, and wait for.
package final class Monitor<State: Sendable>: @unchecked Sendable {
  private let condition = NSCondition()
  private var state: State

  package init(_ state: State) {
    self.state = state
  }

  /// Reads or changes the state; threads that wait look at it again.
  package func withLock<Result>(_ body: (inout State) -> Result) -> Result {
    condition.lock()
    defer {
      condition.broadcast()
      condition.unlock()
    }
    return body(&state)
  }

  /// Waits until `body` gives something.
  ///
  /// It may change the state then, and must not otherwise.
  package func wait<Result>(until body: (inout State) -> Result?) -> Result {
    condition.lock()
    while true {
      if let result = body(&state) {
        condition.broadcast()
        condition.unlock()
        return result
      }
      condition.wait()
    }
  }
}
