import Foundation
import Pipelines
package import Tensors

/// Events that a computation sends to one client, in the form of server-sent events.
///
/// A computation that is faster than its client waits for it: few events are ever kept.
package final class EventChannel: Sendable {
  private struct State {
    /// Sent and not yet taken.
    var pending = 0
    var isOver = false
  }

  /// What the client gets; whoever reads it calls ``taken()`` after each piece.
  package let stream: AsyncStream<[UInt8]>
  private let continuation: AsyncStream<[UInt8]>.Continuation
  private let state = Monitor(State())
  private static let pendingLimit = 16

  package init() {
    (stream, continuation) = AsyncStream.makeStream(of: [UInt8].self)
    let state = state
    continuation.onTermination = { _ in state.withLock { $0.isOver = true } }
  }

  /// Whether nobody listens any more.
  package var isOver: Bool { state.withLock { $0.isOver } }

  /// A piece was read from the stream.
  package func taken() { state.withLock { $0.pending -= 1 } }

  /// Sends an event; waits while the client has many to take, unless `isGone` says that it won't.
  package func send(_ name: String, _ object: JSONObject, unless isGone: () -> Bool = { false }) {
    while state.withLock({ !$0.isOver && $0.pending >= Self.pendingLimit }) {
      if isGone() { return }
      Thread.sleep(forTimeInterval: 0.01)
    }
    state.withLock { $0.pending += 1 }
    continuation.yield(
      Array("event: \(name)\ndata: \(JSONValue.object(object).text)\n\n".utf8))
  }

  /// Ends the stream.
  package func finish() { continuation.finish() }

  /// The client went away.
  package func abandon() { state.withLock { $0.isOver = true } }
}
