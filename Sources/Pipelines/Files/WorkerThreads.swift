import Foundation
import Tensors

/// Threads that read, compute and write files; their number is fixed and they end with their work.
package final class WorkerThreads: Sendable {
  private let running = Monitor(0)
  private let stackSize: Int
  private let pool = ThreadPool.current

  package init(stackSize: Int) {
    self.stackSize = stackSize
  }

  /// Starts a thread, whose loops use the pool that was current when `self` was made.
  package func start(_ name: String, _ body: @escaping @Sendable () -> Void) {
    running.withLock { $0 += 1 }
    let thread = Thread { [running, pool] in
      ThreadPool.$current.withValue(pool) { body() }
      running.withLock { $0 -= 1 }
    }
    thread.name = name
    thread.stackSize = stackSize
    thread.start()
  }

  /// Waits until all threads are done.
  package func join() {
    running.wait { $0 == 0 ? () : nil }
  }
}
