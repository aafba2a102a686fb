#if Studio
  import FlyingSocks
  import Foundation
  import Studio
  import TestSupport
  import Testing

  /// What one client may take from the others: bounded time, bounded memory.
  @Suite struct ServerLimitsTests {
    private let health = Array("GET /healthz HTTP/1.1\r\nHost: localhost\r\n".utf8)
    private let end = Array("Connection: close\r\n\r\n".utf8)

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test func aHeadThatComesDropByDropIsGivenUp() async throws {
      let server = try await RunningServer { $0.headTime = .milliseconds(300) }
      let socket = try await server.connect()
      let begin = ContinuousClock.now
      let drops = Task {
        for byte in health {
          try await socket.write(Data([byte]))
          try await Task.sleep(for: .milliseconds(50))
        }
      }
      let answer = text(await server.rest(of: socket))
      drops.cancel()
      #expect(answer.hasPrefix("HTTP/1.1 408 Request Timeout"), "\(answer)")
      #expect(answer.contains("Connection: close"))
      #expect(ContinuousClock.now - begin >= .milliseconds(250))
    }

    @Test func anIdleConnectionIsClosed() async throws {
      // Long enough for a request to be read while the other tests compute.
      let server = try await RunningServer { $0.idleTime = .seconds(3) }
      let socket = try await server.connect()
      try await socket.write(Data(health + Array("\r\n".utf8)))
      let answer = text(await server.rest(of: socket))
      #expect(answer.ranges(of: "HTTP/1.1").count == 1 && answer.hasPrefix("HTTP/1.1 200"))
    }

    @Test func aHeadOfTenMegabytesIsRefused() async throws {
      let server = try await RunningServer()
      let line = "X-Long: " + String(repeating: "x", count: 10 << 20) + "\r\n"
      let socket = try await server.connect()
      // The server hears only the beginning of it.
      let sending = Task { try await socket.write(Data(health + Array(line.utf8) + end)) }
      let answer = text(await server.rest(of: socket))
      _ = await sending.result
      #expect(answer.hasPrefix("HTTP/1.1 431 Request Header Fields Too Large"), "\(answer)")
      #expect(answer.contains("application/problem+json"))
      #expect(try await server.exchange(health + end).hasPrefix("HTTP/1.1 200"))
    }

    @Test func whoHoldsConnectionsKeepsNobodyOut() async throws {
      let server = try await RunningServer { $0.connectionCount = 8 }
      var held: [AsyncSocket] = []
      for _ in 0..<200 {
        let socket = try await server.connect()
        try await socket.write(Data(health))
        held.append(socket)
      }
      defer { for socket in held { try? socket.close() } }
      let answer = try await server.exchange(
        Array("GET /metrics HTTP/1.1\r\nHost: localhost\r\n".utf8) + end)
      let count = answer.firstMatch(of: /lvae_connections (\d+)/).flatMap { Int($0.1) }
      #expect((1...8).contains(count ?? 0), "\(answer)")
    }

    @Test func whereAllConnectionsWorkOthersAreTold() async throws {
      let server = try await RunningServer { $0.connectionCount = 1 }
      let body = #"{"count":64,"steps":250}"#
      let drawing = try await server.connect()
      defer { try? drawing.close() }
      try await drawing.write(
        Data(
          "POST /api/diffuse/stream HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
            .utf8))
      var begin = ""
      while !begin.contains("event: step") {
        begin += text(try await drawing.read(atMost: 65536))
      }
      let socket = try await server.connect()
      let answer = text(await server.rest(of: socket))
      #expect(answer.hasPrefix("HTTP/1.1 503 Service Unavailable"), "\(answer)")
      #expect(answer.contains("Retry-After: 1"))
    }

    @Test func theBytesOfAllRequestsAreBounded() async throws {
      let server = try await RunningServer { $0.byteCount = 100_000 }
      // Six of these bodies that never end are what all requests together may send.
      var held: [AsyncSocket] = []
      for _ in 0..<6 {
        let socket = try await server.connect()
        let head = "POST /api/inspect HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999\r\n\r\n"
        try await socket.write(Data(Array(head.utf8) + [UInt8](repeating: 120, count: 60_000)))
        held.append(socket)
      }
      defer { for socket in held { try? socket.close() } }
      try await server.waitForMetric("lvae_held_bytes 360000")
      let asked =
        Array("POST /api/inspect HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50000\r\n".utf8)
        + end + [UInt8](repeating: 120, count: 50_000)
      let refused = try await server.exchange(asked)
      #expect(refused.hasPrefix("HTTP/1.1 429 Too Many Requests"), "\(refused)")
      try await server.waitForMetric("lvae_held_bytes 360000")
      for socket in held { try socket.close() }
      held = []
      try await server.waitForMetric("lvae_held_bytes 0")
      #expect(try await server.exchange(asked).hasPrefix("HTTP/1.1 400"))
    }

    @Test func aBodyMayComeInChunks() async throws {
      let server = try await RunningServer()
      let picture = try pngFile()
      let head = "POST /api/inspect HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
      var request = Array(head.utf8) + end
      for start in stride(from: 0, to: picture.count, by: 700) {
        let piece = picture[start...].prefix(700)
        request += Array("\(String(piece.count, radix: 16))\r\n".utf8) + piece + Array("\r\n".utf8)
      }
      let answer = try await server.exchange(request + Array("0\r\n\r\n".utf8))
      #expect(answer.hasPrefix("HTTP/1.1 200") && answer.contains(#""width":48"#), "\(answer)")
    }

    @Test func whoWaitsToBeAskedForTheBodyIsAsked() async throws {
      let server = try await RunningServer()
      let picture = try pngFile()
      let socket = try await server.connect()
      defer { try? socket.close() }
      let head = "POST /api/inspect HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
      try await socket.write(
        Data(Array("\(head)Content-Length: \(picture.count)\r\n".utf8) + end))
      let invited = text(try await socket.read(atMost: 1000))
      #expect(invited == "HTTP/1.1 100 Continue\r\n\r\n")
      try await socket.write(Data(picture))
      #expect(text(await server.rest(of: socket)).hasPrefix("HTTP/1.1 200"))

      let refused = try await server.exchange(
        Array("\(head)Content-Length: 99999999\r\n".utf8) + end)
      #expect(refused.hasPrefix("HTTP/1.1 413"), "\(refused)")
    }

    @Test func clientsOfHTTP10AreAnswered() async throws {
      let server = try await RunningServer()
      let answer = try await server.exchange(
        Array("GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n".utf8))
      #expect(answer.hasPrefix("HTTP/1.1 200") && answer.contains("Connection: close"))
      let stream = try await server.exchange(
        Array(
          "POST /api/diffuse/stream HTTP/1.0\r\nHost: localhost\r\nContent-Length: 11\r\n\r\n{\"steps\":2}"
            .utf8))
      #expect(stream.contains("event: done") && !stream.contains("chunked"), "\(stream)")
    }

    @Test func whatIsNoRequestIsRefused() async throws {
      let server = try await RunningServer()
      let answer = try await server.exchange(Array("\u{16}\u{3}\u{1} hello\r\n\r\n".utf8))
      #expect(answer.hasPrefix("HTTP/1.1 400"), "\(answer)")
    }
  }
#endif
