package import Tensors

/// What a client is told.
package struct Response: Sendable {
  /// What follows the headers.
  package enum Body: Sendable {
    /// All of it.
    case bytes([UInt8])
    /// Events that are sent as they come.
    case events(EventChannel)
  }

  package var status = 200
  package var contentType: String
  package var body: Body
  /// More headers.
  package var headers: [(String, String)] = []

  package init(
    status: Int = 200, contentType: String, bytes: [UInt8], headers: [(String, String)] = []
  ) {
    self.status = status
    self.contentType = contentType
    body = .bytes(bytes)
    self.headers = headers
  }

  /// A stream of server-sent events.
  package init(events: EventChannel) {
    contentType = "text/event-stream"
    body = .events(events)
  }

  /// A JSON document.
  package static func json(_ object: JSONObject, status: Int = 200) -> Response {
    Response(
      status: status, contentType: "application/json",
      bytes: Array(JSONValue.object(object).text.utf8))
  }

  /// Bytes to be kept as a file.
  package static func binary(_ bytes: [UInt8], fileName: String? = nil) -> Response {
    var response = Response(contentType: "application/octet-stream", bytes: bytes)
    if let fileName {
      response.headers = [("Content-Disposition", "attachment; filename=\"\(fileName)\"")]
    }
    return response
  }

  /// The standard's name for a status.
  package static func phrase(of status: Int) -> String {
    switch status {
    case 200: "OK"
    case 201: "Created"
    case 204: "No Content"
    case 303: "See Other"
    case 304: "Not Modified"
    case 400: "Bad Request"
    case 401: "Unauthorized"
    case 403: "Forbidden"
    case 404: "Not Found"
    case 405: "Method Not Allowed"
    case 408: "Request Timeout"
    case 409: "Conflict"
    case 411: "Length Required"
    case 413: "Content Too Large"
    case 421: "Misdirected Request"
    case 429: "Too Many Requests"
    case 431: "Request Header Fields Too Large"
    case 499: "Client Closed Request"
    case 501: "Not Implemented"
    case 503: "Service Unavailable"
    case 505: "HTTP Version Not Supported"
    default: status < 500 ? "Error" : "Internal Server Error"
    }
  }
}
