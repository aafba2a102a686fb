#if Studio
  import FlyingSocks
  import Foundation
  import Glibc
  import Synchronization

  /// A client's socket, which the connection's task reads and writes, and others look at or end.
  final class ClientSocket: Sendable {
    private let socket: AsyncSocket
    private let isClosed = Mutex(false)

    init(_ socket: AsyncSocket) {
      self.socket = socket
      // Events are small, and each is wanted at once.
      try? socket.socket.setValue(
        true, for: BoolSocketOption(level: Int32(IPPROTO_TCP), name: TCP_NODELAY))
    }

    deinit { close() }

    /// What has come; nothing at the end.
    ///
    /// - Throws: `CancellationError`.
    func read() async throws -> [UInt8] {
      do {
        return try await socket.read(atMost: 4096)
      } catch is SocketError {
        return []
      }
    }

    /// Sends bytes.
    ///
    /// - Throws: `SocketError` where the client is gone, and `CancellationError`.
    func write(_ bytes: Data) async throws { try await socket.write(bytes) }

    /// Whether the client has closed its end.
    ///
    /// The connection's task doesn't read while a request is worked on. This looks at the socket
    /// itself: at its end, or after an error, nothing can be read from it, and nothing is taken from
    /// it by looking.
    var isGone: Bool {
      isClosed.withLock { isClosed in
        if isClosed { return true }
        var byte: UInt8 = 0
        let count = unsafe recv(
          socket.socket.file.rawValue, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT))
        if count > 0 { return false }
        return count == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
      }
    }

    /// Ends reading, or reading and writing: who waits for it goes on at once.
    func shutDown(writing: Bool) { shutDown(Int32(writing ? SHUT_RDWR : SHUT_RD)) }

    /// Tells the client that all was sent.
    func finishWriting() { shutDown(Int32(SHUT_WR)) }

    private func shutDown(_ what: Int32) {
      isClosed.withLock { isClosed in
        if !isClosed { _ = shutdown(socket.socket.file.rawValue, what) }
      }
    }

    /// Closes it; nobody may read or write then.
    func close() {
      isClosed.withLock { isClosed in
        if !isClosed { try? socket.close() }
        isClosed = true
      }
    }
  }
#endif
