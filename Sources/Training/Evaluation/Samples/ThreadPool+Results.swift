import Synchronization
import Tensors

extension ThreadPool {
  /// What `body` gives for every index below `count`, in their order; computed in parallel.
  func results<Result: Sendable>(
    count: Int, _ body: (_ index: Int) -> Result
  ) -> [Result] {
    let results = Mutex([Result?](repeating: nil, count: count))
    run(count: count) { index, _ in
      let result = body(index)
      results.withLock { $0[index] = result }
    }
    return results.withLock { $0.compactMap { $0 } }
  }
}
