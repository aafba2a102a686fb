import Dispatch
import Glibc
import Synchronization

/// Ends a run in good order when the user presses Ctrl-C or the system asks for the end.
///
/// The first SIGINT or SIGTERM sets ``stop``: the item in hand is finished. The second ends the
/// process at once; files that are being written have not appeared yet, so none is broken. (Some
/// programs, `timeout` for one, send a signal twice: what follows the first within a third of a
/// second counts as the same.) A closed pipe (SIGPIPE) becomes an error of the write. Signals are
/// handled as long as the object lives.
package final class Interruption: @unchecked Sendable {
  /// Set by the first signal.
  package let stop = StopFlag()
  private let received = Received()
  private let sources: [any DispatchSourceSignal]

  /// Takes over the handling of signals.
  ///
  /// - Parameters:
  ///   - notify: Called once, on another thread, with the first signal.
  ///   - exit: Ends the process with a status, at once; replaced in tests.
  package init(
    notify: @escaping @Sendable (Int32) -> Void,
    exit: @escaping @Sendable (Int32) -> Void = { Glibc._exit($0) }
  ) {
    let received = received
    let registered = DispatchSemaphore(value: 0)
    let queue = DispatchQueue(label: "lvae.signals")
    signal(SIGPIPE, SIG_IGN)
    let stop = stop
    sources = Self.numbers.map { number in
      // Without this the signal's own action would end the process.
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
      source.setEventHandler {
        switch received.kind(of: number) {
        case .first:
          stop.set()
          notify(number)
        case .echo: break
        case .second: exit(ExitStatus.interrupted(signal: number).code)
        }
      }
      source.setRegistrationHandler { registered.signal() }
      source.resume()
      return source
    }
    // Until then a signal would be lost.
    for _ in sources { registered.wait() }
  }

  deinit {
    for source in sources { source.cancel() }
    for number in Self.numbers { signal(number, SIG_DFL) }
  }

  /// The first signal that came, if one did.
  package var signalNumber: Int32? { received.first.withLock { $0?.number } }

  /// What has come so far.
  private final class Received: Sendable {
    enum Kind { case first, echo, second }

    let first = Mutex<(number: Int32, time: ContinuousClock.Instant)?>(nil)

    /// What a signal that comes now is, and remembers the first one.
    func kind(of number: Int32) -> Kind {
      first.withLock { first in
        guard let known = first else {
          first = (number, .now)
          return .first
        }
        return .now - known.time < .milliseconds(333) ? .echo : .second
      }
    }
  }

  private static let numbers = [SIGINT, SIGTERM]
}
