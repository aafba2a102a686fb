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
  import Dispatch
  import FlyingFox
  import FlyingSocks
  import Foundation
  import Glibc

  extension StudioServer {
    /// Serves until `interruption` says stop: then what is going on is ended, and answers are sent.
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
      let port = try freePort(settings)
      let result = Monitor<Result<Void, any Error>?>(nil)
      Task {
        do {
          try await serve(site, port: port, until: stop, ready: ready)
          result.withLock { $0 = .success(()) }
        } catch {
          result.withLock { $0 = .failure(error) }
        }
      }
      defer {
        site.close()
        site.join()
      }
      try result.wait { $0 }.get()
    }

    private static func serve(
      _ site: Site, port: UInt16, until stop: @escaping @Sendable () -> Bool,
      ready: @escaping @Sendable (Address) -> Void
    ) async throws {
      let settings = site.settings
      let server = HTTPServer(
        config: HTTPServer.Configuration(
          address: try sockaddr_in.inet(ip4: settings.host, port: port),
          // Each answer's timer stays in memory until then: see `ComputeQueue`, which ends before.
          timeout: Double(settings.limits.secondCount + 10),
          sharedRequestReplaySize: 0, logger: .disabled), handler: HTTPFront(site: site))
      let running = Task { try await server.run() }
      try await server.waitUntilListening()
      guard case .ip4(_, let bound)? = await server.listeningAddress else {
        throw StudioError.noPort(host: settings.host, port: port, reason: "it has no address")
      }
      let name = settings.host == "0.0.0.0" ? "127.0.0.1" : settings.host
      let suffix = settings.servesPage ? settings.token.map { "?token=\($0)" } ?? "" : ""
      ready(Address(url: "http://\(name):\(bound)/\(suffix)", port: bound))
      while !stop() { try await Task.sleep(for: .milliseconds(100)) }
      site.close()
      await server.stop(timeout: 3)
      _ = try? await running.value
    }

    /// The port to listen at: the one that is wanted, or the first that is free.
    private static func freePort(_ settings: StudioSettings) throws -> UInt16 {
      guard (try? sockaddr_in.inet(ip4: settings.host, port: 0)) != nil else {
        throw StudioError.noAddress(settings.host)
      }
      if settings.port == 0 { return 0 }
      let first = StudioSettings.firstPort
      let candidates = settings.port.map { $0...$0 } ?? first...first + StudioSettings.portCount - 1
      var reason = ""
      for port in candidates {
        do {
          let socket = try Socket(domain: AF_INET)
          defer { try? socket.close() }
          try socket.setValue(true, for: .localAddressReuse)
          try socket.bind(to: sockaddr_in.inet(ip4: settings.host, port: port))
          return port
        } catch SocketError.failed(_, _, let message) {
          reason = message
        }
      }
      throw StudioError.noPort(
        host: settings.host, port: candidates.upperBound, reason: reason)
    }
  }
#endif
