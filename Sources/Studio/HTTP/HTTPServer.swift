#if Studio
  import FlyingSocks
  import Glibc

  /// Listens at a port, and takes connections in: as many as the limits say, and each for as long as
  /// they say.
  final class HTTPServer: Sendable {
    private let site: Site
    private let pool: any AsyncSocketPool
    private let listener: AsyncSocket
    /// The port.
    let port: UInt16

    /// Listens from now on.
    ///
    /// - Throws: ``StudioError`` where no port is free or the address is none.
    init(_ site: Site) throws {
      self.site = site
      let (socket, port) = try Self.listen(site.settings)
      self.port = port
      pool = SocketPool<Poll>.make(maxEvents: 64)
      listener = try AsyncSocket(socket: socket, pool: pool)
    }

    deinit { try? listener.close() }

    /// A socket at the port that is wanted, or at the first that is free.
    private static func listen(_ settings: StudioSettings) throws -> (Socket, UInt16) {
      guard (try? sockaddr_in.inet(ip4: settings.host, port: 0)) != nil else {
        throw StudioError.noAddress(settings.host)
      }
      let first = StudioSettings.firstPort
      let candidates = settings.port.map { $0...$0 } ?? first...first + StudioSettings.portCount - 1
      var reason = "it has no address"
      for port in candidates {
        do {
          let socket = try Socket(domain: AF_INET)
          do {
            try socket.setValue(true, for: .localAddressReuse)
            try socket.bind(to: sockaddr_in.inet(ip4: settings.host, port: port))
            try socket.listen()
            if case .ip4(_, let bound) = try socket.sockname() { return (socket, bound) }
          } catch {
            try? socket.close()
            throw error
          }
        } catch SocketError.failed(_, _, let message) {
          reason = message
        }
      }
      throw StudioError.noPort(host: settings.host, port: candidates.upperBound, reason: reason)
    }

    /// Serves until `stop` says so; then answers that are under way are given a few seconds.
    func run(until stop: @escaping @Sendable () -> Bool) async throws {
      try await pool.prepare()
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await self.pool.run() }
        group.addTask { try await self.takeConnections() }
        group.addTask { try await self.watch(until: stop) }
        defer { group.cancelAll() }
        try await group.next()
      }
    }

    private func watch(until stop: @Sendable () -> Bool) async throws {
      while !stop() {
        try await Task.sleep(for: .milliseconds(100))
        site.connections.endOverdue()
      }
      site.close()
      let end = ContinuousClock.now + .seconds(3)
      while site.connections.count > 0, ContinuousClock.now < end {
        site.connections.close()
        try await Task.sleep(for: .milliseconds(10))
      }
      site.connections.endAll()
    }

    // MARK: Connections

    private func takeConnections() async throws {
      try await withThrowingDiscardingTaskGroup { group in
        while true {
          try Task.checkCancellation()
          let socket: AsyncSocket
          do {
            socket = try await listener.accept()
          } catch is SocketError {
            // No descriptor is free, or the client left at once: the others aren't to suffer.
            try await Task.sleep(for: .milliseconds(20))
            continue
          }
          let client = ClientSocket(socket)
          guard try await hasRoom() else {
            // One after the other, so that these don't become many either.
            await HTTPConnection.refuse(client)
            continue
          }
          let connections = site.connections
          let identifier = connections.add { isTold in client.shutDown(writing: !isTold) }
          group.addTask { [site] in
            await HTTPConnection(client, identifier, site).serve()
            client.close()
            connections.remove(identifier)
          }
        }
      }
    }

    /// Waits for room for a connection that is there; says whether there is any.
    private func hasRoom() async throws -> Bool {
      while true {
        switch site.connections.makeRoom() {
        case .free: return true
        case .none: return false
        case .soon: try await Task.sleep(for: .milliseconds(1))
        }
      }
    }
  }
#endif
