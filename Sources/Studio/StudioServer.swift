import Pipelines

/// The web page that makes the pipeline visible, and the HTTP API behind it.
package enum StudioServer {
  /// What a server tells those who started it.
  package struct Address: Sendable {
    /// The address, with the token where one is needed.
    package let url: String
    /// The port.
    package let port: UInt16
  }
}

#if Studio
  extension StudioServer {
    /// Serves until `stop` says so: then what is going on is ended, and answers are sent.
    ///
    /// - Parameters:
    ///   - settings: What is served, and to whom.
    ///   - stop: Whether the server should end, looked at several times a second.
    ///   - ready: Called once the server listens.
    /// - Throws: ``StudioError``, and the errors of loading models.
    package static func serve(
      _ settings: StudioSettings, until stop: @escaping @Sendable () -> Bool,
      ready: @escaping @Sendable (Address) -> Void
    ) throws {
      let site = try Site(settings)
      defer {
        site.close()
        site.join()
      }
      let server = try HTTPServer(site)
      let name = settings.host == "0.0.0.0" ? "127.0.0.1" : settings.host
      let suffix = settings.servesPage ? settings.token.map { "?token=\($0)" } ?? "" : ""
      ready(Address(url: "http://\(name):\(server.port)/\(suffix)", port: server.port))
      let result = Monitor<Result<Void, any Error>?>(nil)
      Task {
        do {
          try await server.run(until: stop)
          result.withLock { $0 = .success(()) }
        } catch {
          result.withLock { $0 = .failure(error) }
        }
      }
      try result.wait { $0 }.get()
    }
  }
#endif
