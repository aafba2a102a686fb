/// The other end of a request, to learn whether somebody still waits for the answer.
package struct Connection: Sendable {
  private let probe: @Sendable () -> Bool

  /// A connection of which `probe` says whether the client has closed its end; it is called from any
  /// thread.
  package init(isGone probe: @escaping @Sendable () -> Bool) { self.probe = probe }

  /// Of a request that has no socket.
  package static let none = Connection { false }

  /// Whether the client has closed its end.
  package var isGone: Bool { probe() }
}
