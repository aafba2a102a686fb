import Pipelines
import Synchronization

/// The latents that clients work with, up to a bound of memory: those used longest ago go first.
final class LatentStore: Sendable {
  private struct State {
    var latents: [String: OpenLatent] = [:]
    /// Identifiers, the one used last at the end.
    var order: [String] = []
    var byteCount = 0
  }

  private let state = Mutex(State())
  private let byteLimit: Int

  init(byteLimit: Int) {
    self.byteLimit = byteLimit
  }

  /// Keeps a latent; the identifier can't be guessed.
  func add(_ latent: OpenLatent) -> String {
    let identifier = Self.randomText()
    state.withLock { state in
      state.latents[identifier] = latent
      state.order.append(identifier)
      state.byteCount += latent.byteCount
      while state.byteCount > byteLimit, state.order.count > 1 {
        Self.remove(state.order[0], &state)
      }
    }
    return identifier
  }

  /// The latent with this identifier.
  ///
  /// - Throws: ``Problem`` 404, also for one that had to make room.
  func latent(_ identifier: String) throws(Problem) -> OpenLatent {
    let latent = state.withLock { state in
      if let place = state.order.firstIndex(of: identifier) {
        state.order.append(state.order.remove(at: place))
      }
      return state.latents[identifier]
    }
    guard let latent else {
      throw .notFound("there is no such latent, or it had to make room for others; send it again")
    }
    return latent
  }

  /// Forgets a latent.
  ///
  /// - Throws: ``Problem`` 404.
  func remove(_ identifier: String) throws(Problem) {
    let found = state.withLock { state in
      guard state.latents[identifier] != nil else { return false }
      Self.remove(identifier, &state)
      return true
    }
    if !found { throw .notFound("there is no such latent") }
  }

  private static func remove(_ identifier: String, _ state: inout State) {
    state.order.removeAll { $0 == identifier }
    state.byteCount -= state.latents.removeValue(forKey: identifier)?.byteCount ?? 0
  }

  /// How many there are, and how much memory they take.
  var counts: (latents: Int, bytes: Int) {
    state.withLock { ($0.latents.count, $0.byteCount) }
  }

  /// 128 random bits as text.
  static func randomText() -> String {
    var generator = SystemRandomNumberGenerator()
    return (0..<2).map { _ in
      let digits = String(generator.next() as UInt64, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }
}
