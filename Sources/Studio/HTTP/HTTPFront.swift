#if Studio
  import FlyingFox
  import FlyingSocks
  import Foundation

  /// Between the HTTP server and ``Site``.
  struct HTTPFront: HTTPHandler {
    let site: Site

    func handleRequest(_ request: HTTPRequest) async throws -> HTTPResponse {
      let body = Self.body(of: request)
      var response: Response
      do {
        response = await site.answer(try Self.request(request, body))
      } catch {
        response = Problem(error).response
      }
      let isWhole = await body.discard()
      return Self.response(response, isHead: request.method == .HEAD, closes: !isWhole)
    }

    private static func request(
      _ request: HTTPRequest, _ body: RequestBody
    ) throws(Problem) -> Request {
      guard let path = RequestTarget.path(request.target.path()) else {
        throw .notFound("the path isn't one")
      }
      var headers: [String: String] = [:]
      for (header, value) in request.headers { headers[header.rawValue.lowercased()] = value }
      let connection: Connection =
        switch request.remoteAddress {
        case .ip4(let address, let port), .ip6(let address, let port):
          Connection(to: .init(address: address, port: port))
        default: .none
        }
      let method = request.method.rawValue
      return Request(
        method: method == "HEAD" ? "GET" : method, path: path,
        query: try Query(parsing: request.target.query()), headers: headers, body: body,
        connection: connection)
    }

    private static func body(of request: HTTPRequest) -> RequestBody {
      let reader = BodyReader(request.bodySequence)
      return RequestBody(announcedByteCount: request.bodySequence.count) {
        try await reader.next()
      }
    }

    /// Reads a request's body; used by one task at a time.
    private final class BodyReader: @unchecked Sendable {
      private var iterator: HTTPBodySequence.Iterator

      init(_ sequence: HTTPBodySequence) { iterator = sequence.makeAsyncIterator() }

      func next() async throws -> Data? { try await iterator.next() }
    }

    private static func response(
      _ response: Response, isHead: Bool, closes: Bool
    ) -> HTTPResponse {
      var headers = HTTPHeaders()
      headers[.contentType] = response.contentType
      for (name, value) in response.headers { headers[HTTPHeader(name)] = value }
      if headers[.cacheControl] == nil { headers[.cacheControl] = "no-store" }
      if closes { headers[.connection] = "close" }
      let status = HTTPStatusCode(response.status, phrase: Response.phrase(of: response.status))
      switch response.body {
      case .bytes(let bytes):
        headers[.contentLength] = response.status == 204 ? nil : "\(bytes.count)"
        let sent = isHead ? [] : bytes
        let body =
          closes
          ? HTTPBodySequence(from: LastPieces(bytes: sent), count: sent.count)
          : HTTPBodySequence(data: Data(sent), suggestedBufferSize: 1 << 16)
        return HTTPResponse(statusCode: status, headers: headers, body: body)
      case .events(let channel):
        return HTTPResponse(
          statusCode: status, headers: headers,
          body: HTTPBodySequence(from: Events(channel), suggestedBufferSize: 1 << 16))
      }
    }
  }

  /// An answer after which the connection can't go on, since the request wasn't read to its end: the
  /// error after the last byte closes it.
  private struct LastPieces: AsyncBufferedSequence {
    typealias Element = UInt8

    let bytes: [UInt8]

    func makeAsyncIterator() -> Iterator { Iterator(bytes: bytes) }

    struct Iterator: AsyncBufferedIteratorProtocol {
      fileprivate var bytes: [UInt8]

      mutating func next() async throws -> UInt8? { throw SocketError.disconnected }

      mutating func nextBuffer(suggested count: Int) async throws -> [UInt8]? {
        guard !bytes.isEmpty else { throw SocketError.disconnected }
        defer { bytes = [] }
        return bytes
      }
    }
  }

  /// The events of a channel as pieces of an answer.
  private struct Events: AsyncBufferedSequence {
    typealias Element = UInt8

    private let reader: Reader

    init(_ channel: EventChannel) { reader = Reader(channel) }

    func makeAsyncIterator() -> Iterator { Iterator(reader: reader) }

    struct Iterator: AsyncBufferedIteratorProtocol {
      fileprivate let reader: Reader

      mutating func next() async throws -> UInt8? { throw SocketError.disconnected }

      mutating func nextBuffer(suggested count: Int) async throws -> [UInt8]? {
        await reader.next()
      }
    }

    /// Tells the channel when nobody reads any more.
    fileprivate final class Reader: @unchecked Sendable {
      private let channel: EventChannel
      // Used by the one task that sends the answer.
      private var iterator: AsyncStream<[UInt8]>.Iterator

      init(_ channel: EventChannel) {
        self.channel = channel
        iterator = channel.stream.makeAsyncIterator()
      }

      deinit { channel.abandon() }

      func next() async -> [UInt8]? {
        let piece = await iterator.next()
        channel.taken()
        return piece
      }
    }
  }
#endif
