import Testing

import Studio

@Suite struct RequestHeadTests {
  private func head(_ lines: String...) throws -> RequestHead {
    try RequestHead(parsing: Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8))
  }

  private func status(_ lines: String...) -> Int? {
    do {
      _ = try RequestHead(parsing: Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8))
      return nil
    } catch {
      return error.status
    }
  }

  @Test func aHeadIsTakenApart() throws {
    let head = try head(
      "POST /api/encode?storage=int6&x=?? HTTP/1.1", "Host: localhost:1", "CONTENT-LENGTH: 12",
      "Accept:  text/html ", "accept: image/png\t", "Cookie: a=1", "cookie: b=2", "X-Empty:")
    #expect(head.method == "POST" && head.path == "/api/encode")
    #expect(head.query == "storage=int6&x=??")
    #expect(head.bodyLength == .bytes(12))
    #expect(
      head.headers == [
        "host": "localhost:1", "content-length": "12", "accept": "text/html, image/png",
        "cookie": "a=1; b=2", "x-empty": "",
      ])
    #expect(head.isKeptOpen && !head.isOld && !head.expectsContinue)
  }

  @Test func linesMayEndWithoutACarriageReturn() throws {
    let head = try RequestHead(parsing: Array("GET / HTTP/1.1\nHost: a\n\n".utf8))
    #expect(head.path == "/" && head.headers == ["host": "a"] && head.bodyLength == .bytes(0))
  }

  @Test func connectionsAreKeptAsTheVersionSays() throws {
    #expect(try head("GET / HTTP/1.1", "Connection: Close").isKeptOpen == false)
    #expect(try head("GET / HTTP/1.0").isKeptOpen == false)
    #expect(try head("GET / HTTP/1.0", "Connection: Keep-Alive").isKeptOpen)
    #expect(try head("PUT / HTTP/1.1", "Expect: 100-Continue").expectsContinue)
    #expect(try head("PUT / HTTP/1.0", "Expect: 100-continue").expectsContinue == false)
  }

  @Test func chunksAreTheOnlyCoding() throws {
    #expect(try head("POST / HTTP/1.1", "Transfer-Encoding: Chunked").bodyLength == .chunked)
    #expect(status("POST / HTTP/1.1", "Transfer-Encoding: gzip") == 501)
    #expect(status("POST / HTTP/1.1", "Transfer-Encoding: gzip, chunked") == 501)
  }

  @Test(arguments: [
    "GET /", "GET / HTTP/1.1 x", " GET / HTTP/1.1", "GET  / HTTP/1.1", "GE(T / HTTP/1.1",
    "GET / HTTP/1.1\r\nHost : a", "GET / HTTP/1.1\r\n folded: a", "GET / HTTP/1.1\r\nno colon",
    "GET / HTTP/1.1\r\n: a", "GET / HTTP/1.1\r\nA: b\u{0}c", "GET / HTTP/1.1\r\nA: b\rc",
    "GET / HTTP/1.1\r\nHost: a\r\nHost: b", "GET / HTTP/1.1\r\nContent-Length: -1",
    "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1",
    "GET / HTTP/1.1\r\nContent-Length: +1", "GET / HTTP/1.1\r\nContent-Length:",
    "GET / HTTP/1.1\r\nContent-Length: 99999999999999999999",
    "GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked", "",
  ])
  func whatCanBeReadInTwoWaysIsRefused(text: String) {
    #expect(status(text) == 400)
  }

  @Test func otherVersionsAndTooManyHeadersAreRefused() {
    #expect(status("GET / HTTP/2") == 505)
    let headers = (0...RequestHead.headerLimit).map { "X-\($0): 1" }
    #expect(status((["GET / HTTP/1.1"] + headers).joined(separator: "\r\n")) == 431)
    #expect(status((["GET / HTTP/1.1"] + headers.dropLast()).joined(separator: "\r\n")) == nil)
  }

  @Test func everyPrefixIsReadOrRefused() {
    let whole = Array("POST /a?b HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\n\r\n".utf8)
    for count in 0..<whole.count {
      let head = try? RequestHead(parsing: whole.prefix(count))
      #expect(head == nil || head?.method == "POST")
    }
  }
}
