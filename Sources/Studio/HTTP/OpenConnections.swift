import Synchronization

/// The connections that are open: never more than a limit, and none longer than it may.
///
/// A connection that waits for a request, or for the rest of a request's head, makes room for a new
/// one where there are too many: who sends heads drop by drop keeps nobody out.
package final class OpenConnections: Sendable {
  /// What names a connection.
  package typealias Identifier = UInt64
  /// Ends a connection, from any thread: reading from it stops at once, and so does writing unless
  /// its client is still to be told why.
  package typealias End = @Sendable (_ isTold: Bool) -> Void

  private struct Entry {
    /// When it began to wait for a request; nil while one is worked on.
    var waitsSince: ContinuousClock.Instant?
    /// When it is overdue; nil while others watch over the time.
    var deadline: ContinuousClock.Instant?
    /// Told to end, and not gone yet.
    var isEnding = false
    let end: End
  }

  private struct State {
    var entries: [Identifier: Entry] = [:]
    var next: Identifier = 0
    var isClosed = false
  }

  private let limit: Int
  private let state = Mutex(State())

  /// - Parameter limit: How many may be open.
  package init(limit: Int) { self.limit = limit }

  /// How many are open.
  package var count: Int { state.withLock { $0.entries.count } }

  /// Whether no answer may keep its connection any more.
  package var isClosed: Bool { state.withLock { $0.isClosed } }

  // MARK: Coming and going

  /// What a new connection finds.
  package enum Room { case free, soon, none }

  /// Looks for room for one more.
  ///
  /// Where there is none, those that have waited longest for a request are ended, a sixteenth of all
  /// at once, and there will be room when one of them is gone.
  package func makeRoom() -> Room {
    let (room, ends) = state.withLock { state -> (Room, [End]) in
      if state.entries.count < limit { return (.free, []) }
      if state.entries.values.contains(where: \.isEnding) { return (.soon, []) }
      let waiting = state.entries.compactMap { entry in
        entry.value.waitsSince.map { (identifier: entry.key, since: $0) }
      }
      let oldest = waiting.sorted { $0.since < $1.since }.prefix(max(1, limit / 16))
      let ends = oldest.compactMap { entry in
        state.entries[entry.identifier]?.isEnding = true
        return state.entries[entry.identifier]?.end
      }
      return (ends.isEmpty ? .none : .soon, ends)
    }
    for end in ends { end(false) }
    return room
  }

  /// Takes in a connection.
  package func add(end: @escaping End) -> Identifier {
    state.withLock { state in
      state.next += 1
      state.entries[state.next] = Entry(end: end)
      return state.next
    }
  }

  /// A connection is gone.
  package func remove(_ identifier: Identifier) {
    state.withLock { _ = $0.entries.removeValue(forKey: identifier) }
  }

  // MARK: Time

  /// A connection waits for a request, and `time` more; where it waits already, only the time
  /// changes.
  package func wait(_ identifier: Identifier, for time: Duration) {
    let now = ContinuousClock.now
    change(identifier) { entry in
      entry.waitsSince = entry.waitsSince ?? now
      entry.deadline = now + time
    }
  }

  /// A connection's request is worked on: its time is others' business.
  package func work(_ identifier: Identifier) {
    change(identifier) { entry in
      entry.waitsSince = nil
      entry.deadline = nil
    }
  }

  /// A connection's client is sent something, which may take `time`.
  package func send(_ identifier: Identifier, within time: Duration) {
    let now = ContinuousClock.now
    change(identifier) { entry in
      entry.waitsSince = nil
      entry.isEnding = false
      entry.deadline = now + time
    }
  }

  private func change(_ identifier: Identifier, _ body: (inout Entry) -> Void) {
    state.withLock { state in
      guard var entry = state.entries[identifier] else { return }
      body(&entry)
      state.entries[identifier] = entry
    }
  }

  /// Whether a connection was told to end.
  package func isEnding(_ identifier: Identifier) -> Bool {
    state.withLock { $0.entries[identifier]?.isEnding ?? true }
  }

  /// Ends the connections that are overdue; to be called now and then.
  ///
  /// Who is late with a request is told.
  package func endOverdue(at now: ContinuousClock.Instant = .now) {
    end(isTold: true) { entry in
      entry.waitsSince != nil && entry.deadline.map { $0 <= now } ?? false
    }
    end(isTold: false) { entry in entry.deadline.map { $0 <= now } ?? false }
  }

  /// Lets no connection go on after its answer, and ends those that wait for a request.
  package func close() {
    state.withLock { $0.isClosed = true }
    end(isTold: false) { $0.waitsSince != nil }
  }

  /// Ends all.
  package func endAll() { end(isTold: false) { _ in true } }

  private func end(isTold: Bool, where isMeant: (Entry) -> Bool) {
    let ends = state.withLock { state in
      var ends: [End] = []
      for (identifier, entry) in state.entries where !entry.isEnding && isMeant(entry) {
        state.entries[identifier]?.isEnding = true
        ends.append(entry.end)
      }
      return ends
    }
    for end in ends { end(isTold) }
  }
}
