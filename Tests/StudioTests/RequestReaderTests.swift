import Foundation
import Testing

import Studio

@Suite struct RequestReaderTests {
  private func reader(_ text: String, by count: Int) -> RequestReader {
    let pieces = BytePieces(Array(text.utf8), by: count)
    return RequestReader { await pieces.next() }
  }

  private func body(_ reader: RequestReader) async throws -> String {
    var bytes = Data()
    while let piece = try await reader.piece() {
      #expect(!piece.isEmpty)
      bytes += piece
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  @Test(arguments: [1, 2, 3, 7, 64, 4096])
  func requestsFollowEachOtherHoweverTheyAreCut(count: Int) async throws {
    let chunks = "5;note=x\r\nhello\r\n6\r\n world\r\n0\r\nTrailer: 1\r\n\r\n"
    let reader = reader(
      "\r\nPOST /1 HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"
        + "POST /2 HTTP/1.1\nTransfer-Encoding: chunked\n\n\(chunks)GET /3 HTTP/1.1\r\n\r\n",
      by: count)
    for (path, sent) in [("/1", "abc"), ("/2", "hello world"), ("/3", "")] {
      let head = try RequestHead(parsing: try #require(try await reader.head()))
      #expect(head.path == path)
      reader.begin(head.bodyLength)
      #expect(try await body(reader) == sent)
    }
    #expect(try await reader.head() == nil)
  }

  @Test(arguments: [1, 100, 4096])
  func aHeadWithoutEndIsRefusedAtTheLimit(count: Int) async throws {
    let pieces = BytePieces(
      Array(("GET / HTTP/1.1\r\nX: " + String(repeating: "x", count: 10 << 20)).utf8), by: count)
    let reader = RequestReader { await pieces.next() }
    let error = await #expect(throws: Problem.self) { try await reader.head() }
    #expect(error?.status == 431)
    #expect(await pieces.taken <= RequestHead.byteLimit + count)
  }

  @Test func theLongestHeadIsTaken() async throws {
    let begin = "GET / HTTP/1.1\r\nX: "
    let filler = String(repeating: "x", count: RequestHead.byteLimit - begin.utf8.count - 4)
    let head = try await reader("\(begin)\(filler)\r\n\r\n", by: 1000).head()
    #expect(head?.count == RequestHead.byteLimit)
    await #expect(throws: Problem.self) {
      try await reader("\(begin)\(filler)x\r\n\r\n", by: 1000).head()
    }
  }

  @Test func aHeadThatBreaksOffIsRefused() async throws {
    for text in ["G", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\r"] {
      await #expect(throws: Problem.self) { try await reader(text, by: 5).head() }
    }
    #expect(try await reader("\r\n", by: 1).head() == nil)
  }

  @Test(arguments: [
    "x\r\nhello\r\n", "-5\r\nhello\r\n", "\r\nhello\r\n", "5\r\nhelloo\r\n0\r\n\r\n",
    "5\r\nhel", "fffffffff\r\nhello", "5\r\nhello\r\n", String(repeating: "1", count: 5000),
  ])
  func chunksThatAreNoneAreRefused(text: String) async throws {
    let reader = reader(text, by: 4096)
    reader.begin(.chunked)
    await #expect(throws: Problem.self) { try await body(reader) }
  }

  @Test func aBodyThatBreaksOffIsAbandoned() async throws {
    let reader = reader("abc", by: 2)
    reader.begin(.bytes(4))
    let error = await #expect(throws: Problem.self) { try await body(reader) }
    #expect(error?.status == Problem.abandoned.status)
  }
}

/// Bytes that come in pieces of one size.
private actor BytePieces {
  private let bytes: [UInt8]
  private let count: Int
  /// How many were taken.
  private(set) var taken = 0

  init(_ bytes: [UInt8], by count: Int) {
    self.bytes = bytes
    self.count = count
  }

  func next() -> [UInt8] {
    let piece = Array(bytes[taken...].prefix(count))
    taken += piece.count
    return piece
  }
}
