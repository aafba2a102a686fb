import Foundation
import Synchronization
import Testing

import Tensors

@Suite struct ThreadPoolTests {
  /// How often each index was called, and which workers called.
  private struct Calls: Sendable {
    var counts: [Int: Int] = [:]
    var workers: Set<Int> = []
  }

  /// A loop each of whose calls waits until `together` calls have begun, or a second is over.
  private func run(_ pool: ThreadPool, count: Int, together: Int) -> Calls {
    let calls = Mutex(Calls())
    let begun = Atomic(0)
    pool.run(count: count) { index, worker in
      calls.withLock {
        $0.counts[index, default: 0] += 1
        $0.workers.insert(worker)
      }
      begun.add(1, ordering: .relaxed)
      let end = ContinuousClock.now + .seconds(1)
      while begun.load(ordering: .relaxed) < together, .now < end { usleep(100) }
    }
    return calls.withLock { $0 }
  }

  @Test func everyIndexIsCalledOnceByTheThreadsThereAre() {
    let pool = ThreadPool(threadCount: 3)
    for count in [0, 1, 2, 3, 50] {
      let calls = run(pool, count: count, together: min(count, 3))
      #expect(calls.counts == Dictionary(uniqueKeysWithValues: (0..<count).map { ($0, 1) }))
      #expect(calls.workers == Set(0..<min(count, 3)))
    }
  }

  @Test func lanesShareTheThreadsOut() {
    let pool = ThreadPool(threadCount: 3)
    pool.inLane {
      #expect(run(pool, count: 20, together: 3).workers == [0, 1, 2])
      pool.inLane {
        #expect(run(pool, count: 20, together: 2).workers == [0, 1])
        pool.inLane {
          #expect(run(pool, count: 20, together: 1).workers == [0])
          // More lanes than threads.
          pool.inLane { #expect(run(pool, count: 20, together: 1).workers == [0]) }
        }
      }
      #expect(run(pool, count: 20, together: 3).workers == [0, 1, 2])
    }
  }

  @Test func scratchMemoryBelongsToOneCallAtATime() {
    let pool = ThreadPool(threadCount: 3)
    let broken = Atomic(0)
    unsafe pool.run(count: 300, scratchCount: 37) { index, scratch in
      for place in 0..<37 { unsafe scratch[place] = Float(index) }
      sched_yield()
      let isWhole = (0..<37).allSatisfy { unsafe scratch[$0] == Float(index) }
      if !isWhole { broken.add(1, ordering: .relaxed) }
    }
    #expect(broken.load(ordering: .relaxed) == 0)
  }

  @Test func manyShortLoopsFromSeveralThreadsEnd() {
    let pool = ThreadPool(threadCount: 2)
    let total = Mutex(0)
    DispatchQueue.concurrentPerform(iterations: 3) { _ in
      for round in 0..<2000 {
        pool.inLane {
          pool.run(count: round % 5) { _, _ in total.withLock { $0 += 1 } }
        }
      }
    }
    #expect(total.withLock { $0 } == 12_000)
  }
}
