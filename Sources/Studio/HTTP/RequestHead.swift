import Tensors

/// A request's first line and its headers, as RFC 9112 has them.
package struct RequestHead: Sendable, Equatable {
  /// How the length of what follows is told.
  package enum BodyLength: Sendable, Equatable {
    case bytes(Int)
    case chunked
  }

  /// `GET`, `POST` and so on.
  package let method: String
  /// What stands before the question mark.
  package let path: String
  /// What stands behind it.
  package let query: String
  /// The headers' values by name in lower case; those of a name that occurs again are joined.
  package let headers: [String: String]
  /// How much follows the head.
  package let bodyLength: BodyLength
  /// Whether it is HTTP/1.0, which knows no chunks and closes after each answer.
  package let isOld: Bool

  /// The most bytes of a head.
  package static let byteLimit = 16 << 10
  /// The most headers.
  package static let headerLimit = 100

  /// Whether the connection may go on after the answer.
  package var isKeptOpen: Bool {
    let options = (headers["connection"] ?? "").lowercased()
    return isOld ? options.contains("keep-alive") : !options.contains("close")
  }

  /// Whether the client waits to be asked for the body.
  package var expectsContinue: Bool {
    !isOld && headers["expect"]?.lowercased() == "100-continue"
  }
}

extension RequestHead {
  /// Reads a head with its empty line, or without.
  ///
  /// Lines end with CR LF, or with LF alone; header lines that are folded are refused, and so is
  /// whatever could be read in two ways: two lengths, two hosts, a blank before a colon.
  ///
  /// - Throws: ``Problem`` 400, 431 for too many headers, 501 for a coding other than chunks, 505 for
  ///   another version.
  package init(parsing bytes: some Collection<UInt8>) throws(Problem) {
    var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      .map { $0.last == UInt8(ascii: "\r") ? $0.dropLast() : $0 }
    while lines.last?.isEmpty == true { lines.removeLast() }
    guard !lines.isEmpty else { throw .badRequest("the request has no first line") }
    let texts = try lines.map { (line) throws(Problem) in
      guard !line.contains(where: { ($0 < 32 && $0 != 9) || $0 == 127 }) else {
        throw .badRequest("the request's head has control characters")
      }
      return String(decoding: line, as: UTF8.self)
    }
    (method, path, query, isOld) = try Self.firstLine(texts[0])
    headers = try Self.headers(texts.dropFirst())
    bodyLength = try Self.bodyLength(headers)
  }

  private static func firstLine(
    _ line: String
  ) throws(Problem) -> (method: String, path: String, query: String, isOld: Bool) {
    let words = line.split(separator: " ", omittingEmptySubsequences: false)
    guard words.count == 3, isToken(words[0]), !words[1].isEmpty else {
      throw .badRequest("the first line isn't METHOD TARGET HTTP/1.1, but \(line.quotedBriefly)")
    }
    guard words[2] == "HTTP/1.1" || words[2] == "HTTP/1.0" else {
      throw Problem(
        status: 505, detail: "HTTP/1.1 is spoken here, and not \(String(words[2]).quotedBriefly)")
    }
    let target = words[1].split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    return (
      String(words[0]), String(target[0]), target.count > 1 ? String(target[1]) : "",
      words[2] == "HTTP/1.0"
    )
  }

  private static func headers(_ lines: ArraySlice<String>) throws(Problem) -> [String: String] {
    guard lines.count <= headerLimit else { throw .tooLargeHead("\(lines.count) headers") }
    var headers: [String: String] = [:]
    for line in lines {
      let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, isToken(parts[0]) else {
        throw .badRequest("a header isn't NAME: VALUE, but \(line.quotedBriefly)")
      }
      let name = parts[0].lowercased()
      let value = String(
        parts[1].drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }
          .reversed())
      guard let before = headers[name] else {
        headers[name] = value
        continue
      }
      guard !onlyOnce.contains(name) else {
        throw .badRequest("the header \(name) occurs twice")
      }
      headers[name] = before + (name == "cookie" ? "; " : ", ") + value
    }
    return headers
  }

  private static let onlyOnce: Set = [
    "host", "content-length", "transfer-encoding", "authorization", "origin",
  ]

  private static func bodyLength(_ headers: [String: String]) throws(Problem) -> BodyLength {
    if let coding = headers["transfer-encoding"] {
      guard headers["content-length"] == nil else {
        throw .badRequest("both Content-Length and Transfer-Encoding are given")
      }
      guard coding.lowercased() == "chunked" else {
        throw Problem(
          status: 501,
          detail: "the transfer coding \(coding.quotedBriefly) isn't known; send chunked")
      }
      return .chunked
    }
    guard let text = headers["content-length"] else { return .bytes(0) }
    guard text.utf8.allSatisfy({ (48...57).contains($0) }), let count = Int(text) else {
      throw .badRequest("Content-Length is no number of bytes: \(text.quotedBriefly)")
    }
    return .bytes(count)
  }

  private static func isToken(_ text: Substring) -> Bool {
    !text.isEmpty
      && text.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"):
          true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
      }
  }
}
