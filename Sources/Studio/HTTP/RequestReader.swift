package import Foundation

/// Takes the bytes of a connection apart: heads of requests, and what follows them.
///
/// It never keeps more than a head's limit and one piece of what was read. Used by one task at a
/// time.
package final class RequestReader: @unchecked Sendable {
  /// Reads what has come; nothing at the end.
  package typealias Source = @Sendable () async throws -> [UInt8]

  private enum Rest {
    case bytes(Int)
    case chunk(Int)
    case chunkSize
    case nothing
  }

  private static let lineEnd = Array("\r\n".utf8)
  private let source: Source
  private var buffer: ArraySlice<UInt8> = []
  private var rest = Rest.nothing

  package init(source: @escaping Source) { self.source = source }

  // MARK: Heads

  /// Reads the next request's first line and headers.
  ///
  /// - Parameter begun: Called when a first byte is there.
  /// - Returns: All bytes with the empty line; nil if no more requests come.
  /// - Throws: ``Problem`` 431 beyond ``RequestHead/byteLimit``, 400 for a head that breaks off, and
  ///   the errors of the source.
  package func head(begun: () -> Void = {}) async throws -> [UInt8]? {
    var hasBegun = false
    var searched = 0
    while true {
      if searched == 0 { buffer = buffer.drop { Self.lineEnd.contains($0) } }
      if !hasBegun, !buffer.isEmpty {
        hasBegun = true
        begun()
      }
      let (end, next) = Self.endOfHead(buffer, from: searched)
      if let end, end <= RequestHead.byteLimit {
        defer { buffer = buffer.dropFirst(end) }
        return Array(buffer.prefix(end))
      }
      guard end == nil, buffer.count <= RequestHead.byteLimit else {
        throw Problem.tooLargeHead("more than \(RequestHead.byteLimit) bytes")
      }
      searched = next
      let piece = try await source()
      guard !piece.isEmpty else {
        if !hasBegun { return nil }
        throw Problem.badRequest("the request breaks off in its head")
      }
      buffer.append(contentsOf: piece)
    }
  }

  /// How long a head is with its empty line, and where to look on if that hasn't come.
  private static func endOfHead(
    _ bytes: ArraySlice<UInt8>, from searched: Int
  ) -> (end: Int?, next: Int) {
    let newline = UInt8(ascii: "\n")
    var start = bytes.startIndex + searched
    while let end = bytes[start...].firstIndex(of: newline) {
      let line = bytes[start..<end]
      if line.isEmpty || line.elementsEqual([UInt8(ascii: "\r")]) {
        return (end + 1 - bytes.startIndex, 0)
      }
      start = end + 1
    }
    return (nil, start - bytes.startIndex)
  }

  // MARK: Bodies

  /// Says how much belongs to the request whose head was read.
  package func begin(_ length: RequestHead.BodyLength) {
    switch length {
    case .bytes(let count): rest = count == 0 ? .nothing : .bytes(count)
    case .chunked: rest = .chunkSize
    }
  }

  /// Whether the next piece of the body has come already, or none is left.
  package var hasPiece: Bool {
    if case .nothing = rest { return true }
    return !buffer.isEmpty
  }

  /// The next piece of the request's body; nil at its end.
  ///
  /// - Throws: ``Problem/abandoned`` where it breaks off, ``Problem`` 400 where its chunks are none,
  ///   and the errors of the source.
  package func piece() async throws -> Data? {
    while true {
      switch rest {
      case .nothing: return nil
      case .bytes(let count):
        let piece = try await take(atMost: count)
        rest = piece.count == count ? .nothing : .bytes(count - piece.count)
        return piece
      case .chunk(let count):
        let piece = try await take(atMost: count)
        rest = .chunk(count - piece.count)
        if piece.count == count {
          guard try await line().isEmpty else {
            throw Problem.badRequest("a chunk of the body is longer than it says")
          }
          rest = .chunkSize
        }
        return piece
      case .chunkSize:
        let text = try await line().prefix { $0 != ";" }
        guard text.utf8.allSatisfy({ Character(UnicodeScalar($0)).isHexDigit }),
          text.utf8.count <= 8,
          let size = Int(text, radix: 16)
        else { throw Problem.badRequest("the size of a chunk of the body is no number") }
        if size > 0 {
          rest = .chunk(size)
          continue
        }
        // Trailers say nothing that is needed here.
        var count = 0
        while case let text = try await line(), !text.isEmpty {
          count += text.utf8.count
          guard count <= RequestHead.byteLimit else {
            throw Problem.tooLargeHead("more than \(RequestHead.byteLimit) bytes of trailers")
          }
        }
        rest = .nothing
      }
    }
  }

  private func take(atMost count: Int) async throws -> Data {
    if buffer.isEmpty { try await fill() }
    defer { buffer = buffer.dropFirst(count) }
    return Data(buffer.prefix(count))
  }

  /// The longest line around chunks.
  private static let lineLimit = 1024

  private func line() async throws -> String {
    var line: [UInt8] = []
    while true {
      if buffer.isEmpty { try await fill() }
      if let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
        line += buffer[..<end]
        buffer = buffer[(end + 1)...]
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        return String(decoding: line, as: UTF8.self)
      }
      line += buffer
      buffer = []
      guard line.count <= Self.lineLimit else {
        throw Problem.badRequest("a line between chunks of the body is too long")
      }
    }
  }

  private func fill() async throws {
    buffer = try await source()[...]
    if buffer.isEmpty { throw Problem.abandoned }
  }
}
