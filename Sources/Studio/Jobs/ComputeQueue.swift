package import Pipelines
import Synchronization

/// Work that computes, on a thread of its own and one after the other, so that the threads that
/// answer requests stay free.
///
/// The queue is bounded: what doesn't fit is refused at once. Work whose client went away is taken
/// out of the queue, or told to stop.
package final class ComputeQueue: Sendable {
  private struct Job: Sendable {
    let identifier: UInt64
    let run: @Sendable () -> Void
    let drop: @Sendable () -> Void
  }

  private struct State {
    var waiting: [Job] = []
    var isRunning = false
    var isClosed = false
    var next: UInt64 = 0
    /// Of the jobs that wait or run.
    var stops: [UInt64: StopFlag] = [:]
  }

  /// What metrics call it.
  package let name: String
  private let limit: Int
  private let timeLimit: Duration
  private let state = Monitor(State())

  /// A queue with its thread.
  ///
  /// - Parameters:
  ///   - name: What metrics call it.
  ///   - limit: How many jobs may wait.
  ///   - timeLimit: How long a client waits for a result at most.
  ///   - threads: Where its thread runs.
  package init(
    name: String, limit: Int, timeLimit: Duration = .seconds(120), threads: WorkerThreads
  ) {
    self.name = name
    self.limit = limit
    self.timeLimit = timeLimit
    threads.start("lvae-\(name)") { [state] in
      while let job = Self.next(state) {
        job.run()
        state.withLock { $0.isRunning = false }
      }
    }
  }

  private static func next(_ state: Monitor<State>) -> Job? {
    state.wait { state -> Job?? in
      guard !state.waiting.isEmpty else { return state.isClosed ? .some(nil) : nil }
      state.isRunning = true
      return state.waiting.removeFirst()
    }
  }

  /// How many jobs wait, and how many run.
  package var counts: (waiting: Int, running: Int) {
    state.withLock { ($0.waiting.count, $0.isRunning ? 1 : 0) }
  }

  /// Takes no more jobs, drops those that wait, and tells the one that runs to stop.
  package func close() {
    let dropped = state.withLock { state in
      state.isClosed = true
      for stop in state.stops.values { stop.set() }
      defer { state.waiting = [] }
      return state.waiting
    }
    for job in dropped { job.drop() }
  }

  /// Computes something, unless the client goes away before.
  ///
  /// - Parameters:
  ///   - connection: Who waits for it.
  ///   - isLimited: Whether it has to be done within the queue's time.
  ///   - body: The work; it looks at the flag where it can stop.
  /// - Returns: what `body` returns.
  /// - Throws: ``Problem/busy``, ``Problem/stopping``, ``Problem`` 503 where it takes too long,
  ///   `CancellationError`, and what `body` throws.
  package func run<Result: Sendable>(
    for connection: Connection, isLimited: Bool = true,
    _ body: @escaping @Sendable (StopFlag) throws -> Result
  ) async throws -> Result {
    try await withThrowingTaskGroup(of: Result?.self) { group in
      group.addTask { try await self.run(body) }
      group.addTask {
        // A computation that is quick needs nobody to look after it.
        let deadline = ContinuousClock.now + self.timeLimit
        repeat {
          try await Task.sleep(for: .milliseconds(150))
          if isLimited, ContinuousClock.now > deadline { throw Problem.slow(self.timeLimit) }
        } while !connection.isGone
        throw CancellationError()
      }
      defer { group.cancelAll() }
      guard let result = try await group.next() ?? nil else { throw CancellationError() }
      return result
    }
  }

  private func run<Result: Sendable>(
    _ body: @escaping @Sendable (StopFlag) throws -> Result
  ) async throws -> Result {
    let stop = StopFlag()
    let identifier = state.withLock { state in
      state.next += 1
      state.stops[state.next] = stop
      return state.next
    }
    defer { state.withLock { _ = $0.stops.removeValue(forKey: identifier) } }
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let job = Job(
          identifier: identifier,
          run: {
            continuation.resume(
              with: Swift.Result {
                if stop.isSet { throw CancellationError() }
                return try body(stop)
              })
          }, drop: { continuation.resume(throwing: CancellationError()) })
        if let problem = self.append(job) { continuation.resume(throwing: problem) }
      }
    } onCancel: {
      stop.set()
      self.withdraw(identifier)
    }
  }

  private func append(_ job: Job) -> Problem? {
    state.withLock { state in
      if state.isClosed { return .stopping }
      guard state.waiting.count < limit else { return .busy }
      state.waiting.append(job)
      return nil
    }
  }

  /// Takes a job out of the queue, if it still waits.
  private func withdraw(_ identifier: UInt64) {
    let job = state.withLock { state in
      state.waiting.firstIndex { $0.identifier == identifier }.map { state.waiting.remove(at: $0) }
    }
    job?.drop()
  }
}
