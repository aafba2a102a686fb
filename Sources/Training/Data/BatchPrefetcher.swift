import Pipelines

/// Makes batches ahead of their use, on a thread of its own.
public final class BatchPrefetcher<Batch: Sendable>: Sendable {
  private struct State {
    var results: [Result<Batch, TrainingDataError>] = []
    var isStopped = false
  }

  private let monitor = Monitor(State())
  private let threads = WorkerThreads(stackSize: 8 << 20)

  /// Starts to make the batches from a step on.
  ///
  /// - Parameters:
  ///   - step: The first one.
  ///   - depth: How many are kept ready.
  ///   - batch: Makes the batch of a step.
  /// - Precondition: `depth` is at least 1.
  public init(
    from step: Int, depth: Int = 2,
    batch: @escaping @Sendable (Int) throws(TrainingDataError) -> Batch
  ) {
    precondition(depth >= 1, "\(depth) batches kept ready")
    threads.start("batches") { [monitor] in
      var step = step
      while true {
        let mayGoOn = monitor.wait { state -> Bool? in
          if state.isStopped { return false }
          return state.results.count < depth ? true : nil
        }
        guard mayGoOn else { return }
        let result = Result { () throws(TrainingDataError) in try batch(step) }
        monitor.withLock { $0.results.append(result) }
        // An error stays the last result: whoever asks again gets it again.
        if case .failure = result { return }
        step += 1
      }
    }
  }

  /// The next batch, waiting for it if need be.
  ///
  /// - Throws: ``TrainingDataError``, and the same again from then on.
  public func next() throws(TrainingDataError) -> Batch {
    let result = monitor.wait { state -> Result<Batch, TrainingDataError>? in
      guard let result = state.results.first else { return nil }
      if case .success = result { state.results.removeFirst() }
      return result
    }
    return try result.get()
  }

  deinit {
    monitor.withLock { $0.isStopped = true }
    threads.join()
  }
}
