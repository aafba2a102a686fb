import Pipelines
import Synchronization

/// The drawings that go on, so that each can be stopped.
final class Drawings: Sendable {
  private let stops = Mutex<[String: StopFlag]>([:])

  /// Begins a drawing; who has the identifier can stop it.
  func begin() -> (identifier: String, stop: StopFlag) {
    let identifier = LatentStore.randomText()
    let stop = StopFlag()
    stops.withLock { $0[identifier] = stop }
    return (identifier, stop)
  }

  /// A drawing is over.
  func end(_ identifier: String) {
    stops.withLock { _ = $0.removeValue(forKey: identifier) }
  }

  /// Stops a drawing after the step in hand.
  ///
  /// - Throws: ``Problem`` 404 where it is over or never was.
  func stop(_ identifier: String) throws(Problem) {
    guard let stop = stops.withLock({ $0[identifier] }) else {
      throw .notFound("there is no such drawing, or it is over")
    }
    stop.set()
  }

  /// Stops all drawings.
  func stopAll() {
    stops.withLock { stops in
      for stop in stops.values { stop.set() }
    }
  }
}
