#if Studio
  import Foundation

  /// A client's connection: requests, and the answers to them, one after the other.
  struct HTTPConnection {
    private let socket: ClientSocket
    private let identifier: OpenConnections.Identifier
    private let site: Site
    private let reader: RequestReader

    init(_ socket: ClientSocket, _ identifier: OpenConnections.Identifier, _ site: Site) {
      self.socket = socket
      self.identifier = identifier
      self.site = site
      let connections = site.connections
      reader = RequestReader {
        let bytes = try await socket.read()
        // A client that goes on sending isn't read any more either.
        return connections.isEnding(identifier) ? [] : bytes
      }
    }

    /// Answers until there are no more requests, or the connection has to end.
    func serve() async {
      do {
        while try await serveOne() {}
      } catch {
        // The client is gone, or the server is being stopped: there is nobody to tell.
      }
    }

    /// A client that finds no room is told, if it listens.
    static func refuse(_ socket: ClientSocket) async {
      let problem = Problem(
        status: 503, detail: "too many connections are open; try again in a second",
        headers: [("Retry-After", "1")])
      // Little enough for the socket's own memory: nothing waits here.
      try? await socket.write(problem.response.whole(isHead: false, connection: .closes))
      socket.finishWriting()
      _ = try? await Task.sleep(for: .milliseconds(20))
    }

    // MARK: One request

    /// Answers a request; says whether another may come.
    private func serveOne() async throws -> Bool {
      let limits = site.settings.limits
      site.connections.wait(identifier, for: limits.idleTime)
      guard !site.connections.isClosed else { return false }
      let head: RequestHead
      do {
        let bytes = try await reader.head {
          site.connections.wait(identifier, for: limits.headTime)
        }
        guard let bytes else { return false }
        head = try RequestHead(parsing: bytes)
      } catch let problem as Problem {
        let isLate = site.connections.isEnding(identifier)
        try await turnAway(isLate ? Problem.late : problem)
        return false
      }
      return try await answer(head)
    }

    private func answer(_ head: RequestHead) async throws -> Bool {
      site.connections.work(identifier)
      reader.begin(head.bodyLength)
      let hold = site.held.hold()
      defer { withExtendedLifetime(hold) {} }
      let invitation = Invitation(isExpected: head.expectsContinue)
      let body = RequestBody(announcedByteCount: head.announcedByteCount, hold: hold) {
        [reader, socket] in
        if !reader.hasPiece, invitation.take() {
          try await socket.write(Data("HTTP/1.1 100 Continue\r\n\r\n".utf8))
        }
        return try await reader.piece()
      }
      let response: Response
      do {
        response = await site.answer(try request(head, body))
      } catch {
        response = Problem(error).response
      }
      // Who waits to be asked for the body, and wasn't, doesn't send it.
      let isWhole = invitation.isOpen && !reader.hasPiece ? false : await body.discard()
      let isKept = isWhole && head.isKeptOpen && !site.connections.isClosed
      try await send(
        response, isHead: head.method == "HEAD", isOld: head.isOld, isKept: isKept, hold: hold)
      if !isWhole { try await linger() }
      return isKept
    }

    private func request(
      _ head: RequestHead, _ body: RequestBody
    ) throws(Problem) -> Request {
      guard let path = RequestTarget.path(head.path) else {
        throw .notFound("the path isn't one")
      }
      return Request(
        method: head.method == "HEAD" ? "GET" : head.method, path: path,
        query: try Query(parsing: head.query), headers: head.headers, body: body,
        connection: Connection { [socket] in socket.isGone })
    }

    // MARK: Answers

    private func send(
      _ response: Response, isHead: Bool, isOld: Bool, isKept: Bool, hold: HeldBytes.Hold
    ) async throws {
      let connection: Response.ConnectionHeader =
        isKept ? (isOld ? .staysOpen : .unsaid) : .closes
      switch response.body {
      case .bytes(let bytes):
        hold.add(bytes.count)
        site.connections.send(identifier, within: Self.time(for: bytes.count))
        try await socket.write(response.whole(isHead: isHead, connection: connection))
      case .events(let channel):
        defer { channel.abandon() }
        try await write(Data(response.head(isChunked: !isOld, connection: connection).utf8))
        guard !isHead else { return }
        for await piece in channel.stream {
          channel.taken()
          try await write(isOld ? Data(piece) : Self.chunk(piece))
        }
        if !isOld { try await write(Self.chunk([])) }
      }
    }

    /// Sends a piece of an answer whose next piece may take any time to come.
    private func write(_ bytes: Data) async throws {
      site.connections.send(identifier, within: Self.time(for: bytes.count))
      try await socket.write(bytes)
      site.connections.work(identifier)
    }

    /// How long a client may take for an answer.
    private static func time(for byteCount: Int) -> Duration {
      .seconds(30 + byteCount / (64 << 10))
    }

    private static func chunk(_ bytes: [UInt8]) -> Data {
      Data("\(String(bytes.count, radix: 16))\r\n".utf8) + bytes + Data("\r\n".utf8)
    }

    /// Says why there is no answer.
    private func turnAway(_ problem: Problem) async throws {
      site.metrics.begun()
      site.metrics.ended(
        route: "none", method: "none", status: problem.status, duration: .zero, received: 0,
        sent: 0)
      site.connections.send(identifier, within: .seconds(5))
      try await socket.write(problem.response.whole(isHead: false, connection: .closes))
      try await linger()
    }

    /// Reads what still comes, for a moment: a socket that is closed before would take the answer
    /// away from its client.
    private func linger() async throws {
      socket.finishWriting()
      site.connections.wait(identifier, for: .seconds(2))
      while !site.connections.isEnding(identifier), try await !socket.read().isEmpty {}
    }
  }

  /// A client's wish to be asked for its body: heard once at most.
  private final class Invitation: @unchecked Sendable {
    // Used by the one task that reads the body, and then by the connection's.
    private(set) var isOpen: Bool

    init(isExpected: Bool) { isOpen = isExpected }

    func take() -> Bool {
      defer { isOpen = false }
      return isOpen
    }
  }

  extension RequestHead {
    fileprivate var announcedByteCount: Int? {
      if case .bytes(let count) = bodyLength { count } else { nil }
    }
  }

  extension Response {
    /// What an answer says about its connection.
    fileprivate enum ConnectionHeader: String {
      case closes = "Connection: close\r\n"
      case staysOpen = "Connection: keep-alive\r\n"
      case unsaid = ""
    }

    /// The first line and the headers, with the empty line.
    fileprivate func head(isChunked: Bool, connection: ConnectionHeader) -> String {
      var text = "HTTP/1.1 \(status) \(Self.phrase(of: status))\r\nContent-Type: \(contentType)\r\n"
      for (name, value) in headers { text += "\(name): \(value)\r\n" }
      if !headers.contains(where: { $0.0 == "Cache-Control" }) {
        text += "Cache-Control: no-store\r\n"
      }
      switch body {
      case .bytes(let bytes):
        if status != 204, status != 304 { text += "Content-Length: \(bytes.count)\r\n" }
      case .events: if isChunked { text += "Transfer-Encoding: chunked\r\n" }
      }
      return "\(text)\(connection.rawValue)\r\n"
    }

    /// All of an answer that is no stream.
    fileprivate func whole(isHead: Bool, connection: ConnectionHeader) -> Data {
      var data = Data(head(isChunked: false, connection: connection).utf8)
      if case .bytes(let bytes) = body, !isHead { data.append(contentsOf: bytes) }
      return data
    }
  }
#endif
