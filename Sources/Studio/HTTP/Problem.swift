import Images
import LatentFiles
import Pipelines
import Schedulers
import Tensors

/// Why a request is refused: problem details as RFC 9457 has them.
package struct Problem: Error, Sendable {
  /// The status: 4xx or 5xx.
  package let status: Int
  /// What is wrong, and what to do.
  package let detail: String
  /// Headers that belong to the refusal, such as `Retry-After`.
  package var headers: [(String, String)] = []

  package init(status: Int, detail: String, headers: [(String, String)] = []) {
    self.status = status
    self.detail = detail
    self.headers = headers
  }

  /// The answer.
  package var response: Response {
    let object: JSONObject = [
      "type": .string("about:blank"), "title": .string(Response.phrase(of: status)),
      "status": JSONValue(status), "detail": .string(detail),
    ]
    return Response(
      status: status, contentType: "application/problem+json",
      bytes: Array(JSONValue.object(object).text.utf8), headers: headers)
  }
}

extension Problem {
  package static func badRequest(_ detail: String) -> Problem {
    Problem(status: 400, detail: detail)
  }

  package static func badParameter(_ name: String, _ text: String, _ expected: String) -> Problem {
    .badRequest("\(name)=\(text.quotedBriefly): \(expected) is expected")
  }

  package static func notFound(_ detail: String) -> Problem { Problem(status: 404, detail: detail) }

  package static func tooLarge(_ detail: String) -> Problem { Problem(status: 413, detail: detail) }

  package static func tooLargeHead(_ what: String) -> Problem {
    Problem(
      status: 431,
      detail: "the request's head has \(what), and at most \(RequestHead.headerLimit) headers in "
        + "\(RequestHead.byteLimit) bytes are taken")
  }

  package static let late = Problem(
    status: 408, detail: "the request's head came too slowly; try again")

  /// The bytes of all requests together are too many.
  package static let full = Problem(
    status: 429,
    detail:
      "the files of other requests take all the memory that is meant for them; try again in a "
      + "second", headers: [("Retry-After", "1")])

  package static let busy = Problem(
    status: 429, detail: "too many requests wait already; try again in a second",
    headers: [("Retry-After", "1")])

  package static let stopping = Problem(
    status: 503, detail: "the server is being stopped", headers: [("Retry-After", "5")])

  /// An answer isn't there in time.
  package static func slow(_ limit: Duration) -> Problem {
    Problem(
      status: 503,
      detail: "it would take longer than \(limit.summaryText); ask for less at once, or have the "
        + "server started with more --max-seconds", headers: [("Retry-After", "60")])
  }

  /// The client went away, or the request was given up; nobody reads this.
  package static let abandoned = Problem(status: 499, detail: "the request was given up")

  /// What an error of the toolkit means to a client.
  package init(_ error: any Error) {
    switch error {
    case let problem as Problem: self = problem
    case is CancellationError: self = .abandoned
    case let error as ImageError: self.init(status: Self.status(of: error), detail: "\(error)")
    case let error as LatentFileError:
      if case .overLimit = error {
        self = .tooLarge("\(error)")
      } else {
        self = .badRequest("\(error)")
      }
    case let error as CodecError:
      if case .tooLarge = error {
        self = .tooLarge("\(error)")
      } else {
        self = .badRequest("\(error)")
      }
    case is ModelStoreError, is DiffusionError, is SchedulerError, is GenerationError,
      is JSONError:
      self = .badRequest("\(error)")
    default:
      self.init(status: 500, detail: "the server failed: \(error)")
    }
  }

  private static func status(of error: ImageError) -> Int {
    switch error {
    case .tooManyPixels, .tooManyBytes: 413
    case .unreadable: 404
    default: 400
    }
  }
}
