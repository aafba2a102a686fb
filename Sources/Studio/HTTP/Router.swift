import Tensors

/// Where a request goes: by its method and path.
package struct Router: Sendable {
  /// What answers a request.
  package typealias Handler = @Sendable (Request, Site) async throws -> Response

  /// A way to an answer.
  package struct Route: Sendable {
    package let method: String
    /// The path's parts; one that begins with a colon takes any text: `:id`.
    let pattern: [Substring]
    /// The pattern as text, which names the route in metrics.
    package let name: String
    let handler: Handler
  }

  /// All ways, in the order in which they are looked at.
  package private(set) var routes: [Route] = []

  /// Adds a way: `add("GET", "/api/samples/:name") { request, site in … }`.
  package mutating func add(_ method: String, _ pattern: String, _ handler: @escaping Handler) {
    routes.append(
      Route(
        method: method, pattern: pattern.split(separator: "/"), name: pattern, handler: handler))
  }

  /// The route of a request, and the request with its parameters.
  ///
  /// - Throws: ``Problem`` 404, or 405 where the path is there and the method isn't.
  package func route(_ request: Request) throws(Problem) -> (Route, Request) {
    var methods: Set<String> = []
    for route in routes {
      guard let parameters = Self.match(route.pattern, request.path) else { continue }
      if route.method == request.method {
        var request = request
        request.parameters = parameters
        return (route, request)
      }
      methods.insert(route.method)
    }
    guard !methods.isEmpty else {
      throw .notFound("there is nothing at /\(request.path.joined(separator: "/"))")
    }
    if methods.contains("GET") { methods.insert("HEAD") }
    let allowed = methods.sorted().joined(separator: ", ")
    throw Problem(
      status: 405, detail: "\(request.method.quotedBriefly) isn't possible here; \(allowed) is",
      headers: [("Allow", allowed)])
  }

  private static func match(_ pattern: [Substring], _ path: [String]) -> [String: String]? {
    guard pattern.count == path.count else { return nil }
    var parameters: [String: String] = [:]
    for (expected, found) in zip(pattern, path) {
      if expected.first == ":" {
        parameters[String(expected.dropFirst())] = found
      } else if expected != found {
        return nil
      }
    }
    return parameters
  }
}
