#if Studio
  import FlyingSocks
  import Foundation
  import Pipelines
  import Studio
  import Testing

  /// A server on a port of its own, as long as the object lives.
  final class RunningServer: Sendable {
    let port: UInt16
    private let flag: StopFlag
    private let ended: Monitor<Result<Void, any Error>?>

    init(_ change: (inout StudioLimits) -> Void = { _ in }) async throws {
      var settings = StudioSettings()
      settings.port = 0
      settings.limits.byteCount = 1 << 20
      change(&settings.limits)
      let wanted = settings
      let found = Monitor<UInt16?>(nil)
      let flag = StopFlag()
      let ended = Monitor<Result<Void, any Error>?>(nil)
      Thread.detachNewThread {
        let result = Result {
          try StudioServer.serve(wanted, until: { flag.isSet }) { address in
            found.withLock { $0 = address.port }
          }
        }
        ended.withLock { $0 = result }
      }
      while found.withLock({ $0 }) == nil {
        if let result = ended.withLock({ $0 }) { try result.get() }
        try await Task.sleep(for: .milliseconds(5))
      }
      port = found.withLock { $0 } ?? 0
      self.flag = flag
      self.ended = ended
    }

    deinit { flag.set() }

    /// Stops it, and waits until it has ended.
    func stop() async throws {
      flag.set()
      while ended.withLock({ $0 }) == nil { try await Task.sleep(for: .milliseconds(5)) }
      try ended.withLock { $0 }?.get()
    }

    /// A connection that nothing was sent on.
    func connect() async throws -> AsyncSocket {
      try await AsyncSocket.connected(
        to: sockaddr_in.inet(ip4: "127.0.0.1", port: port), timeout: 60)
    }

    /// All that comes until the server closes the connection.
    func rest(of socket: AsyncSocket) async -> [UInt8] {
      var answer: [UInt8] = []
      while let piece = try? await socket.read(atMost: 65536), !piece.isEmpty { answer += piece }
      return answer
    }

    /// Sends bytes, and returns all that comes back.
    func exchangeBytes(_ bytes: [UInt8]) async throws -> (head: String, body: [UInt8]?) {
      let socket = try await connect()
      defer { try? socket.close() }
      try await socket.write(Data(bytes))
      let answer = await rest(of: socket)
      let end = Array("\r\n\r\n".utf8)
      for index in answer.indices.dropLast(3) where Array(answer[index..<index + 4]) == end {
        return (
          String(decoding: answer[..<index], as: UTF8.self), Array(answer[(index + 4)...])
        )
      }
      return (String(decoding: answer, as: UTF8.self), nil)
    }

    /// The same as text.
    func exchange(_ bytes: [UInt8]) async throws -> String {
      let (head, body) = try await exchangeBytes(bytes)
      return head + "\r\n\r\n" + String(decoding: body ?? [], as: UTF8.self)
    }

    /// Sends bytes and goes away, once `text` has come if there is one.
    func send(_ bytes: [UInt8], waitingFor text: String? = nil) async throws {
      let socket = try await connect()
      try await socket.write(Data(bytes))
      var answer = ""
      while let text, !answer.contains(text) {
        answer += String(decoding: try await socket.read(atMost: 65536), as: UTF8.self)
      }
      if text == nil { try await Task.sleep(for: .milliseconds(5)) }
      try socket.close()
    }

    /// Waits until a line stands among the metrics.
    func waitForMetric(_ line: String) async throws {
      let asked = Array(
        "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".utf8)
      for _ in 0..<1000 {
        if try await exchange(asked).contains(line) { return }
        try await Task.sleep(for: .milliseconds(10))
      }
      Issue.record("\(line) never came")
    }
  }
#endif
