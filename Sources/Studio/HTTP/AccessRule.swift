import Tensors

/// Who may ask: what stands between the API and pages of other sites.
///
/// - **Host** must name this server: a foreign name that was made to lead here (DNS rebinding) isn't
///   served.
/// - **Origin** and **Sec-Fetch-Site**: a browser that asks on behalf of another site is refused.
/// - **Token**: where one is set, it is wanted as `Authorization: Bearer …`, or as the cookie that a
///   browser gets from the address with `?token=…`.
struct AccessRule: Sendable {
  /// The secret; nil if none is needed.
  let token: String?
  /// Whether the server is reachable from other machines, under names that it can't know.
  let isPublic: Bool
  /// The name or address that the user gave it.
  let host: String

  static let cookieName = "lvae_token"

  /// Refuses a request that mustn't be served.
  ///
  /// - Throws: ``Problem`` 421 for another host, 403 for another site, 401 without the token.
  func check(_ request: Request) throws(Problem) {
    let found = request.headers["host"] ?? ""
    guard isOwn(host: Self.name(ofHost: found)) else {
      throw Problem(
        status: 421,
        detail: "the host \(found.quotedBriefly) isn't served here; use the address that the "
          + "program printed")
    }
    if let origin = request.headers["origin"], origin != "http://\(found)" {
      throw Problem(
        status: 403, detail: "requests of other sites (\(origin.quotedBriefly)) are refused")
    }
    if let site = request.headers["sec-fetch-site"], site == "cross-site" || site == "same-site" {
      // Following a link to the page itself is harmless.
      guard request.path.isEmpty, request.headers["sec-fetch-mode"] == "navigate" else {
        throw Problem(status: 403, detail: "requests of other sites are refused")
      }
    }
  }

  /// Refuses a request without the token.
  func checkToken(_ request: Request) throws(Problem) {
    guard let token else { return }
    let bearer = request.headers["authorization"].flatMap {
      $0.lowercased().hasPrefix("bearer ") ? String($0.dropFirst(7)) : nil
    }
    guard [bearer, request.cookie(Self.cookieName)].contains(where: { isToken($0, token) }) else {
      throw Problem(
        status: 401,
        detail: "a token is needed: open the address that the program printed, or send "
          + "Authorization: Bearer TOKEN", headers: [("WWW-Authenticate", "Bearer")])
    }
  }

  /// The answer to the page's address with the token: a cookie, and the address without it.
  func welcome(_ request: Request) -> Response? {
    guard let token, request.method == "GET", request.path.isEmpty,
      isToken(request.query["token"], token)
    else { return nil }
    return Response(
      status: 303, contentType: "text/plain; charset=utf-8", bytes: [],
      headers: [
        ("Location", "/"),
        ("Set-Cookie", "\(Self.cookieName)=\(token); Path=/; HttpOnly; SameSite=Strict"),
      ])
  }

  /// Takes as long for any text of the token's length.
  private func isToken(_ text: String?, _ token: String) -> Bool {
    guard let text, text.utf8.count == token.utf8.count else { return false }
    return zip(text.utf8, token.utf8).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
  }

  private func isOwn(host name: String) -> Bool {
    if ["127.0.0.1", "localhost", "[::1]", host].contains(name) { return true }
    // An address can't be rebound, and a token can't be had from another name's cookies.
    return isPublic && token != nil && !name.isEmpty
  }

  /// A host without its port.
  private static func name(ofHost host: String) -> String {
    if host.hasPrefix("["), let end = host.firstIndex(of: "]") { return String(host[...end]) }
    return String(host.prefix { $0 != ":" }).lowercased()
  }
}
