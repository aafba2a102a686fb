import Testing

import Studio

@Suite struct AccessRuleTests {
  private func status(
    _ headers: [String: String], method: String = "GET", _ target: String = "/api/samples",
    _ change: (inout StudioSettings) -> Void = { _ in }
  ) async throws -> Int {
    try await makeSite(change).ask(method, target, headers: headers).status
  }

  @Test(arguments: ["127.0.0.1:8765", "localhost:8765", "[::1]:8765", "127.0.0.1"])
  func ownHostsAreServed(host: String) async throws {
    #expect(try await status(["host": host]) == 200)
  }

  @Test(arguments: ["evil.example", "evil.example:8765", "127.0.0.1.evil.example", "", "10.0.0.1"])
  func otherHostsAreNot(host: String) async throws {
    #expect(try await status(["host": host]) == 421)
  }

  @Test func requestsOfOtherSitesAreRefused() async throws {
    let host = "127.0.0.1:8765"
    #expect(try await status(["host": host, "origin": "http://evil.example"]) == 403)
    #expect(try await status(["host": host, "origin": "null"]) == 403)
    #expect(try await status(["host": host, "origin": "http://127.0.0.1:9999"]) == 403)
    #expect(try await status(["host": host, "sec-fetch-site": "cross-site"]) == 403)
    #expect(try await status(["host": host, "origin": "http://127.0.0.1:8765"]) == 200)
    #expect(try await status(["host": host, "sec-fetch-site": "same-origin"]) == 200)
  }

  @Test func aLinkFromAnotherSiteMayLeadToThePage() async throws {
    let headers = [
      "host": "localhost:8765", "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate",
    ]
    #expect(try await status(headers, "/") == 200)
    #expect(try await status(headers, "/api/samples") == 403)
  }

  @Test func aTokenIsWantedWhereOneIsSet() async throws {
    let site = try makeSite {
      $0.token = "secret-token"
      $0.host = "0.0.0.0"
    }
    func status(_ target: String, _ more: [String: String]) async throws -> Int {
      try await site.ask("GET", target, headers: ["host": "192.168.1.5:8765"].merging(more) { $1 })
        .status
    }
    #expect(try await status("/api/samples", [:]) == 401)
    #expect(try await status("/", [:]) == 401)
    #expect(try await status("/api/samples", ["authorization": "Bearer secret-tokeN"]) == 401)
    #expect(try await status("/api/samples", ["authorization": "Bearer secret-token"]) == 200)
    #expect(try await status("/api/samples", ["cookie": "a=b; lvae_token=secret-token"]) == 200)
    #expect(try await status("/healthz", [:]) == 200)
  }

  @Test func theAddressWithTheTokenGivesACookie() async throws {
    let site = try makeSite { $0.token = "secret-token" }
    let answer = try await site.ask("GET", "/?token=secret-token")
    #expect(answer.status == 303)
    let cookie = answer.headers.first { $0.0 == "Set-Cookie" }?.1
    #expect(cookie == "lvae_token=secret-token; Path=/; HttpOnly; SameSite=Strict")
    #expect(try await site.ask("GET", "/?token=wrong-token!").status == 401)
  }

  @Test func everyAnswerForbidsInlineScriptsAndFrames() async throws {
    let site = try makeSite()
    for target in ["/", "/api/samples", "/nothing"] {
      let headers = Dictionary(
        uniqueKeysWithValues: try await site.ask("GET", target).headers.map { ($0.0, $0.1) })
      let policy = try #require(headers["Content-Security-Policy"])
      #expect(policy.contains("script-src 'self'") && !policy.contains("unsafe"))
      #expect(policy.contains("frame-ancestors 'none'"))
      #expect(headers["X-Content-Type-Options"] == "nosniff")
    }
  }
}
