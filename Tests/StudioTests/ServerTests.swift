#if Studio
  import Foundation
  import TestSupport
  import Testing

  /// The server with its sockets, as programs meet it.
  @Suite struct ServerTests {
    private let server: RunningServer

    init() async throws { server = try await RunningServer() }

    private func request(
      _ line: String, headers: [String] = [], body: [UInt8] = [], announced: Int? = nil
    ) -> [UInt8] {
      let count = announced ?? body.count
      let head =
        ["\(line) HTTP/1.1", "Host: 127.0.0.1:\(server.port)", "Content-Length: \(count)"]
        + headers + ["Connection: close", "", ""]
      return Array(head.joined(separator: "\r\n").utf8) + body
    }

    @Test func requestsAreAnswered() async throws {
      let answer = try await server.exchange(request("GET /healthz"))
      #expect(answer.hasPrefix("HTTP/1.1 200 OK"))
      #expect(answer.contains(#""status":"ok""#))
      let missing = try await server.exchange(request("GET /../etc/passwd"))
      #expect(missing.hasPrefix("HTTP/1.1 404"))
    }

    @Test func aHeadHasNoBody() async throws {
      let answer = try await server.exchange(request("HEAD /healthz"))
      #expect(answer.hasPrefix("HTTP/1.1 200 OK") && answer.hasSuffix("\r\n\r\n"))
    }

    @Test func picturesGoThereAndBack() async throws {
      let picture = try pngFile()
      let encoded = try await server.exchangeBytes(
        request("POST /api/encode?model=emoji", body: picture))
      let answer = try await server.exchange(
        request("POST /api/decode", body: try #require(encoded.body)))
      #expect(answer.contains("Content-Type: image/png"))
    }

    @Test func aConnectionIsUsedAgain() async throws {
      let one = Array("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8)
      let refused = Array(
        "POST /api/nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000\r\n\r\n".utf8)
      let answer = try await server.exchange(
        one + refused + [UInt8](repeating: 120, count: 9000) + request("GET /healthz"))
      #expect(answer.ranges(of: "HTTP/1.1 200 OK").count == 2)
      #expect(answer.ranges(of: "HTTP/1.1 404 Not Found").count == 1)
    }

    @Test func tooLargeABodyIsRefusedWithDetails() async throws {
      let body = [UInt8](repeating: 0, count: 3 << 20)
      let answer = try await server.exchange(request("POST /api/encode", body: body))
      #expect(answer.hasPrefix("HTTP/1.1 413 Content Too Large"))
      #expect(answer.contains("application/problem+json"))
    }

    @Test func abortedUploadsLeaveNothing() async throws {
      for _ in 0..<50 {
        let part = request(
          "POST /api/encode", body: [UInt8](repeating: 1, count: 5000), announced: 100_000)
        try await server.send(part)
      }
      let answer = try await server.exchange(request("GET /metrics"))
      #expect(answer.contains("lvae_jobs_waiting{queue=\"quick\"} 0"))
      #expect(answer.hasPrefix("HTTP/1.1 200 OK"))
    }

    @Test func aDrawingEndsWhenItsClientGoesAway() async throws {
      let body = Array(#"{"count":8,"steps":50}"#.utf8)
      try await server.send(
        request("POST /api/diffuse/stream", body: body), waitingFor: "event: step")
      try await server.waitForMetric("lvae_jobs_running{queue=\"drawing\"} 0")
      try await server.send(request("POST /api/diffuse", body: body))
      try await server.waitForMetric("lvae_jobs_running{queue=\"drawing\"} 0")
    }

    @Test func theServerAnswersWhileItComputes() async throws {
      let isRunning = "lvae_jobs_running{queue=\"drawing\"} 1"
      let body = Array(#"{"count":8,"steps":100}"#.utf8)
      async let drawn = server.exchangeBytes(request("POST /api/diffuse", body: body))
      try await server.waitForMetric(isRunning)
      let answer = try await server.exchange(request("GET /healthz"))
      #expect(answer.hasPrefix("HTTP/1.1 200 OK"))
      #expect(try await server.exchange(request("GET /metrics")).contains(isRunning))
      #expect(try await drawn.head.hasPrefix("HTTP/1.1 200 OK"))
    }

    @Test func theEndStopsWhatGoesOn() async throws {
      let body = Array(#"{"count":64,"steps":200}"#.utf8)
      async let answer = server.exchange(request("POST /api/diffuse/stream", body: body))
      try await server.waitForMetric("lvae_jobs_running{queue=\"drawing\"} 1")
      try await server.stop()
      #expect(try await !answer.contains("event: done"))
    }
  }
#endif
