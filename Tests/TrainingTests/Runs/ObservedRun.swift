import Synchronization
import Training

/// Makes a run, stops it after some steps, and gathers what it tells.
///
/// - Parameters:
///   - stopAfter: after how many steps.
///   - run: makes it.
/// - Returns: how it ended, and its notices.
/// - Throws: what `run` throws.
func observing(
  stopAfter: Int,
  _ run: (
    _ stop: @escaping @Sendable () -> Bool, _ report: @escaping @Sendable (TrainingEvent) -> Void
  ) throws -> TrainingEnd
) throws -> (end: TrainingEnd, notices: [String]) {
  let observed = Observed()
  let end = try run(
    { observed.state.withLock { $0.steps >= stopAfter } },
    { event in
      observed.state.withLock { state in
        switch event {
        case .progress: state.steps += 1
        case .notice(let text): state.notices.append(text)
        case .logged: break
        }
      }
    })
  return (end, observed.state.withLock { $0.notices })
}

private final class Observed: Sendable {
  let state = Mutex<(steps: Int, notices: [String])>((0, []))
}
