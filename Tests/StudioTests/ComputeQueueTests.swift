import Foundation
import Pipelines
import Synchronization
import Testing

import Studio

@Suite struct ComputeQueueTests {
  private let threads = WorkerThreads(stackSize: 1 << 20)

  /// Holds the queue's thread until it is told to let go.
  private final class Gate: Sendable {
    private let isOpen = Monitor(false)
    let entered = Monitor(false)

    func pass() {
      entered.withLock { $0 = true }
      isOpen.wait { $0 ? () : nil }
    }

    func open() { isOpen.withLock { $0 = true } }

    func waitUntilEntered() async {
      while !entered.withLock({ $0 }) { try? await Task.sleep(for: .milliseconds(2)) }
    }
  }

  @Test func resultsAndErrorsComeBack() async throws {
    let queue = ComputeQueue(name: "test", limit: 4, threads: threads)
    defer { queue.close() }
    #expect(try await queue.run(for: .none) { _ in 6 * 7 } == 42)
    await #expect(throws: GenerationError.noVariance) {
      try await queue.run(for: .none) { _ in throw GenerationError.noVariance }
    }
  }

  @Test func whatDoesNotFitIsRefusedAtOnce() async throws {
    let queue = ComputeQueue(name: "test", limit: 2, threads: threads)
    let gate = Gate()
    async let held: Void = queue.run(for: .none) { _ in gate.pass() }
    await gate.waitUntilEntered()
    async let first = queue.run(for: .none) { _ in 1 }
    async let second = queue.run(for: .none) { _ in 2 }
    while queue.counts.waiting < 2 { try await Task.sleep(for: .milliseconds(2)) }
    let refusal = await #expect(throws: Problem.self) { try await queue.run(for: .none) { _ in 3 } }
    #expect(refusal?.status == 429)
    gate.open()
    try await held
    #expect(try await [first, second] == [1, 2])
    queue.close()
  }

  @Test func workThatNobodyWaitsForIsTakenOut() async throws {
    let queue = ComputeQueue(name: "test", limit: 4, threads: threads)
    let gate = Gate()
    async let held: Void = queue.run(for: .none) { _ in gate.pass() }
    await gate.waitUntilEntered()
    let ran = Monitor(false)
    let abandoned = Task { try await queue.run(for: .none) { _ in ran.withLock { $0 = true } } }
    while queue.counts.waiting < 1 { try await Task.sleep(for: .milliseconds(2)) }
    abandoned.cancel()
    await #expect(throws: CancellationError.self) { try await abandoned.value }
    #expect(queue.counts.waiting == 0)
    gate.open()
    try await held
    #expect(!ran.withLock { $0 })
    queue.close()
  }

  @Test func workInHandIsToldToStop() async throws {
    let queue = ComputeQueue(name: "test", limit: 4, threads: threads)
    let entered = Monitor(false)
    let task = Task {
      try await queue.run(for: .none) { stop in
        entered.withLock { $0 = true }
        while !stop.isSet { Thread.sleep(forTimeInterval: 0.002) }
      }
    }
    while !entered.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(2)) }
    task.cancel()
    _ = try? await task.value
    #expect(try await queue.run(for: .none) { _ in true })
    queue.close()
  }

  @Test func whatTakesTooLongIsGivenUp() async throws {
    let queue = ComputeQueue(
      name: "test", limit: 4, timeLimit: .milliseconds(200), threads: threads)
    func wait(isLimited: Bool) async throws -> Bool {
      let begin = ContinuousClock.now
      // Beside other tests, which keep the threads of tasks busy, the watch may come late.
      return try await queue.run(for: .none, isLimited: isLimited) { stop in
        while !stop.isSet, ContinuousClock.now - begin < .seconds(isLimited ? 600 : 1) {
          Thread.sleep(forTimeInterval: 0.002)
        }
        return true
      }
    }
    let refusal = await #expect(throws: Problem.self) { try await wait(isLimited: true) }
    #expect(refusal?.status == 503)
    #expect(try await wait(isLimited: false))
    queue.close()
  }

  @Test func aClosedQueueTakesNothing() async throws {
    let queue = ComputeQueue(name: "test", limit: 4, threads: threads)
    queue.close()
    let refusal = await #expect(throws: Problem.self) { try await queue.run(for: .none) { _ in 1 } }
    #expect(refusal?.status == 503)
    threads.join()
  }
}
