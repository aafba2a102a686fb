import Foundation
import Images
import Pipelines
import Tensors
import TestSupport

import Studio

/// A site with nothing but what is part of the program, and small limits.
func makeSite(_ change: (inout StudioSettings) -> Void = { _ in }) throws -> Site {
  var settings = StudioSettings()
  settings.limits.byteCount = 1 << 20
  settings.limits.pixelCount = 1 << 18
  change(&settings)
  return try Site(settings)
}

extension Site {
  /// Asks as a client does, without a socket.
  func ask(
    _ method: String, _ target: String, body: [UInt8] = [],
    headers: [String: String] = ["host": "127.0.0.1:8765"]
  ) async throws -> Response {
    let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    guard let path = RequestTarget.path(String(parts[0])) else {
      return Problem.notFound("no path").response
    }
    let pieces = Pieces(body)
    let request = Request(
      method: method, path: path,
      query: try Query(parsing: parts.count > 1 ? String(parts[1]) : ""),
      headers: headers,
      body: RequestBody(announcedByteCount: body.count) { await pieces.next() },
      connection: .none)
    return await answer(request)
  }
}

/// Bytes that come in pieces.
actor Pieces {
  private var rest: ArraySlice<UInt8>

  init(_ bytes: [UInt8]) { rest = bytes[...] }

  func next() -> Data? {
    guard !rest.isEmpty else { return nil }
    defer { rest = rest.dropFirst(1000) }
    return Data(rest.prefix(1000))
  }
}

extension Response {
  /// The bytes of a whole answer.
  var bytes: [UInt8] {
    guard case .bytes(let bytes) = body else { return [] }
    return bytes
  }

  /// The answer as JSON.
  var json: JSONObject {
    guard case .object(let object)? = try? JSONParser.parse(bytes) else { return [:] }
    return object
  }

  /// A string of the answer.
  func text(_ key: String) -> String? {
    guard case .string(let text)? = json[key] else { return nil }
    return text
  }

  /// All events of a stream: their names and objects.
  func events() async -> [(name: String, data: JSONObject)] {
    guard case .events(let channel) = body else { return [] }
    var events: [(name: String, data: JSONObject)] = []
    for await piece in channel.stream {
      channel.taken()
      let lines = String(decoding: piece, as: UTF8.self).split(separator: "\n")
      guard lines.count == 2, lines[0].hasPrefix("event: "), lines[1].hasPrefix("data: "),
        case .object(let object)? = try? JSONParser.parse(Array(lines[1].dropFirst(6).utf8))
      else { continue }
      events.append((String(lines[0].dropFirst(7)), object))
    }
    return events
  }
}

/// A small picture's file.
func pngFile(width: Int = 48, height: Int = 40) throws -> [UInt8] {
  try samplePicture(width, height).encoded(as: .png())
}
