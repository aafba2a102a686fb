import CStudio
import Tensors

/// A file of the page, which is part of the program.
@safe package struct PageFile: @unchecked Sendable {
  private let path: String
  // Memory that lasts as long as the program, and that nobody writes.
  private let start: UnsafePointer<UInt8>?
  private let byteCount: Int
  private let tag: String

  private static let openAPIPath = "openapi.json"
  private static let indexPath = "index.html"

  /// All files by their paths.
  package static let files: [String: PageFile] = {
    var count = 0
    let files = unsafe UnsafeBufferPointer(start: lvae_studio_files(&count), count: count)
    let pairs = unsafe files.map { file in
      let path = unsafe String(cString: file.path)
      let bytes = unsafe UnsafeBufferPointer(start: file.bytes, count: file.byte_count)
      let tag = "\"\(SHA256.hexadecimal(of: unsafe [UInt8](bytes)).prefix(20))\""
      return unsafe (
        path, PageFile(path: path, start: file.bytes, byteCount: file.byte_count, tag: tag)
      )
    }
    return Dictionary(uniqueKeysWithValues: pairs)
  }()

  /// The description of the API, in the form of OpenAPI 3.1.
  package static var openAPI: [UInt8] { files[openAPIPath]?.bytes ?? [] }

  /// The file at a request's path; nil if there is none.
  static func at(_ path: [String]) -> PageFile? {
    let name = path.isEmpty ? indexPath : path.joined(separator: "/")
    return name == openAPIPath ? nil : files[name]
  }

  /// The file.
  package var bytes: [UInt8] {
    unsafe [UInt8](UnsafeBufferPointer(start: start, count: byteCount))
  }

  /// The file, or that it is still the one which the client has.
  func response(to request: Request) -> Response {
    var response = Response(contentType: contentType, bytes: [])
    response.headers = [("ETag", tag), ("Cache-Control", "no-cache")]
    if request.headers["if-none-match"] == tag {
      response.status = 304
    } else {
      response.body = .bytes(bytes)
    }
    return response
  }

  private var contentType: String {
    switch path.split(separator: ".").last {
    case "html": "text/html; charset=utf-8"
    case "css": "text/css; charset=utf-8"
    case "js": "text/javascript; charset=utf-8"
    case "svg": "image/svg+xml"
    default: "application/octet-stream"
    }
  }
}
