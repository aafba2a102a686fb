import Foundation
import Pipelines
import Synchronization
import Tensors
import Testing

@Suite struct ComputeLanesTests {
  /// What is running, and the most that ever was.
  private struct Load: Sendable {
    var byteCount = 0
    var count = 0
    var mostBytes = 0
    var mostAtOnce = 0
    var order: [Int] = []
  }

  /// Runs a computation for each of `sizes`, asked for in this order, each in a thread of its own.
  ///
  /// Each waits until `together` run at once, or half a second.
  private func run(_ sizes: [Int], budget: Int, together: Int) -> Load {
    let lanes = ComputeLanes { budget }
    let load = Mutex(Load())
    let threads = WorkerThreads(stackSize: 1 << 20)
    for (index, size) in sizes.enumerated() {
      threads.start("lane \(index)") {
        lanes.run(byteCount: size) {
          load.withLock {
            $0.order.append(index)
            $0.count += 1
            $0.byteCount += size
            $0.mostAtOnce = max($0.mostAtOnce, $0.count)
            $0.mostBytes = max($0.mostBytes, $0.byteCount)
          }
          let end = ContinuousClock.now + .milliseconds(500)
          while load.withLock({ $0.mostAtOnce }) < together, .now < end { usleep(200) }
          load.withLock {
            $0.count -= 1
            $0.byteCount -= size
          }
        }
      }
      // So that it asks before the next one.
      usleep(50_000)
    }
    threads.join()
    return load.withLock { $0 }
  }

  @Test func whatFitsRunsSideBySide() {
    let load = run([40, 40], budget: 100, together: 2)
    #expect(load.mostAtOnce == 2)
    #expect(load.mostBytes == 80)
    #expect(load.order == [0, 1])
  }

  @Test func memoryIsBoundedAndTurnsAreKept() {
    // The last one would fit beside the first, but it isn't its turn.
    let load = run([60, 60, 10], budget: 100, together: 3)
    #expect(load.mostBytes == 70)
    #expect(load.order == [0, 1, 2])
  }

  @Test func whatNeverFitsRunsAlone() {
    let load = run([10, 500, 10], budget: 100, together: 2)
    #expect(load.mostAtOnce == 1)
    #expect(load.order == [0, 1, 2])
  }

  @Test func anErrorGivesTheLaneBack() throws {
    struct Broken: Error {}
    let lanes = ComputeLanes { 100 }
    #expect(throws: Broken.self) { try lanes.run(byteCount: 100) { throw Broken() } }
    #expect(lanes.run(byteCount: 100) { 7 } == 7)
  }
}
