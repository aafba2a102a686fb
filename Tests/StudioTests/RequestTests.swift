import Foundation
import LatentFiles
import Testing

import Studio
import Tensors

@Suite struct RequestTests {
  @Test func aPathIsItsDecodedParts() {
    #expect(RequestTarget.path("/") == [])
    #expect(RequestTarget.path("/api/files") == ["api", "files"])
    #expect(RequestTarget.path("/a%20b") == ["a b"])
  }

  @Test(arguments: [
    "", "api", "//", "/a//b", "/../etc/passwd", "/a/%2e%2e/b", "/a%2fb", "/a%00b", "/%zz", "/a/.",
    "/a/", "/" + String(repeating: "a", count: 9000),
  ])
  func whatIsNoPathIsRefused(text: String) {
    #expect(RequestTarget.path(text) == nil)
  }

  @Test func parametersAreDecoded() throws {
    let query = try Query(parsing: "a=1&b=x%26y&c=&d")
    #expect(query["a"] == "1" && query["b"] == "x&y" && query["c"] == "" && query["d"] == "")
    #expect(throws: Problem.self) { try Query(parsing: "a=1&a=2") }
    #expect(throws: Problem.self) { try Query(parsing: "a=%ff") }
    #expect(throws: Problem.self) { try query.check(["a", "b", "c"]) }
  }

  @Test func numbersAreChecked() throws {
    let query = try Query(parsing: "n=7&x=2.5&bad=seven&inf=inf&list=1,2,3&storage=int6")
    #expect(try query.integer("n", in: 0...10) == 7)
    #expect(try query.integer("none", in: 0...10) == nil)
    #expect(throws: Problem.self) { try query.integer("n", in: 0...5) }
    #expect(throws: Problem.self) { try query.integer("bad", in: 0...5) }
    #expect(try query.number("x", in: 0...10) == 2.5)
    #expect(throws: Problem.self) { try query.number("inf", in: 0...10) }
    #expect(try query.numbers("list", count: 3, in: 0...3) == [1, 2, 3])
    #expect(throws: Problem.self) { try query.numbers("list", count: 2, in: 0...3) }
    #expect(try query.choice("storage", of: LatentStorage.self) == .int6)
    #expect(throws: Problem.self) { try query.choice("bad", of: LatentStorage.self) }
  }

  @Test func aBodyBeyondTheLimitIsRefused() async throws {
    func status(of byteCount: Int, announced: Int?) async throws -> Int? {
      let pieces = Pieces([UInt8](repeating: 1, count: byteCount))
      let body = RequestBody(announcedByteCount: announced) { await pieces.next() }
      do {
        return try await body.bytes(limit: 5000).count == byteCount ? nil : 0
      } catch let problem as Problem {
        return problem.status
      }
    }
    #expect(try await status(of: 5000, announced: 5000) == nil)
    #expect(try await status(of: 5001, announced: 5001) == 413)
    #expect(try await status(of: 5001, announced: nil) == 413)
  }

  @Test func whatIsLeftOfABodyIsReadAway() async throws {
    let pieces = Pieces([UInt8](repeating: 1, count: 20_000))
    let body = RequestBody(announcedByteCount: 20_000) { await pieces.next() }
    _ = try? await body.bytes(limit: 10)
    #expect(await body.discard())
    #expect(await pieces.next() == nil)
  }

  @Test func routesTellWhatIsThereAndWhatIsPossible() async throws {
    let site = try makeSite()
    #expect(try await site.ask("GET", "/api/nothing").status == 404)
    let answer = try await site.ask("DELETE", "/api/encode")
    #expect(answer.status == 405)
    #expect(answer.headers.contains { $0 == ("Allow", "POST") })
    #expect(answer.contentType == "application/problem+json")
    #expect(answer.json["status"] == .number("405"))
  }
}
