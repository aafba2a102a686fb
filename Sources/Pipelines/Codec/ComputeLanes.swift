import Tensors

/// Pictures that are computed side by side: as many as there are threads that ask, while their memory is
/// bounded; in the order in which they asked.
///
/// Threads that work on one picture wait for one another after every layer. With a picture each they
/// don't, which is a fifth faster.
package final class ComputeLanes: Sendable {
  /// The lanes of this process, whose memory they share.
  static let shared = ComputeLanes { (SystemMemory.availableByteCount ?? 4 << 30) / 4 }

  private struct State: Sendable {
    /// How many asked, and how many of them were let in.
    var asked = 0
    var entered = 0
    var running = 0
    /// What those that run take, and what they may take.
    var byteCount = 0
    var budget = 0
  }

  private let monitor = Monitor(State())
  private let budget: @Sendable () -> Int

  /// Lanes that together take at most what `budget` says when the first of several begins.
  package init(budget: @escaping @Sendable () -> Int) {
    self.budget = budget
  }

  /// Runs `body`, which takes `byteCount` bytes, when there is memory for it: at once if nothing else
  /// runs.
  ///
  /// - Precondition: `body` asks for no lane itself, for which it might wait forever.
  package func run<Result>(byteCount: Int, _ body: () throws -> Result) rethrows -> Result {
    let turn = monitor.withLock { state in
      state.asked += 1
      return state.asked - 1
    }
    monitor.wait { state -> Void? in
      guard state.entered == turn else { return nil }
      if state.running == 0 {
        state.budget = budget()
      } else if state.byteCount + byteCount > state.budget {
        return nil
      }
      state.entered += 1
      state.running += 1
      state.byteCount += byteCount
      return ()
    }
    defer {
      monitor.withLock { state in
        state.running -= 1
        state.byteCount -= byteCount
      }
    }
    return try ThreadPool.current.inLane(body)
  }
}
