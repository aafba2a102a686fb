import Images
import Pipelines
import Tensors

/// What answers requests: models, queues and latents, and the ways to them.
package final class Site: Sendable {
  package let settings: StudioSettings
  let models: ModelShelf
  let latents: LatentStore
  let folders: OpenFolders
  let drawings = Drawings()
  /// Encoding, decoding and what follows a dragged control.
  package let quick: ComputeQueue
  /// Drawing, which takes long.
  package let slow: ComputeQueue
  /// Thumbnails, which a list asks for in dozens.
  let small: ComputeQueue
  let metrics = Metrics()
  /// The connections that requests come on.
  package let connections: OpenConnections
  /// The bytes of requests and of their answers.
  package let held: HeldBytes
  let rule: AccessRule
  private let threads: WorkerThreads
  package let router: Router

  /// - Throws: the errors of loading the command line's models, and of its folders.
  package init(_ settings: StudioSettings) throws {
    self.settings = settings
    models = try ModelShelf(settings.models)
    latents = LatentStore(byteLimit: settings.limits.latentByteCount)
    connections = OpenConnections(limit: settings.limits.connectionCount)
    held = HeldBytes(limit: settings.limits.heldByteCount)
    folders = try OpenFolders(settings.folders, workspace: settings.workspace)
    rule = AccessRule(
      token: settings.token, isPublic: settings.host != "127.0.0.1", host: settings.host)
    let threads = WorkerThreads(stackSize: 8 << 20)
    self.threads = threads
    let time = Duration.seconds(settings.limits.secondCount)
    func queue(_ name: String, _ length: Int) -> ComputeQueue {
      ComputeQueue(name: name, limit: length, timeLimit: time, threads: threads)
    }
    quick = queue("quick", settings.limits.queueLength)
    slow = queue("drawing", settings.limits.queueLength)
    small = queue("thumbnails", 256)
    var router = Router()
    Self.addStatus(to: &router)
    CodecEndpoints.add(to: &router)
    LatentEndpoints.add(to: &router)
    DrawingEndpoints.add(to: &router)
    FolderEndpoints.add(to: &router)
    RunEndpoints.add(to: &router)
    self.router = router
  }

  /// Ends what is going on.
  package func close() {
    for queue in [quick, slow, small] { queue.close() }
    drawings.stopAll()
  }

  /// Waits until nothing computes any more.
  package func join() { threads.join() }

  /// The limits of pictures that are sent.
  var imageLimits: ImageLimits {
    ImageLimits(
      maximumPixelCount: settings.limits.pixelCount, maximumByteCount: settings.limits.byteCount)
  }

  // MARK: Answering

  /// The answer to a request, whatever comes.
  package func answer(_ request: Request) async -> Response {
    let begin = ContinuousClock.now
    metrics.begun()
    var name = "none"
    var response: Response
    do {
      response = try await answer(request, routeName: &name)
    } catch {
      response = Problem(error).response
    }
    var sent = 0
    if case .bytes(let bytes) = response.body { sent = bytes.count }
    metrics.ended(
      route: name, method: request.method, status: response.status,
      duration: ContinuousClock.now - begin, received: await request.body.byteCount, sent: sent)
    response.headers += Self.safetyHeaders
    return response
  }

  private func answer(_ request: Request, routeName: inout String) async throws -> Response {
    try rule.check(request)
    if settings.servesPage, let welcome = rule.welcome(request) { return welcome }
    if request.path != ["healthz"] { try rule.checkToken(request) }
    if settings.servesPage, request.method == "GET", let file = PageFile.at(request.path) {
      routeName = "page"
      return file.response(to: request)
    }
    let (route, routed) = try router.route(request)
    routeName = route.name
    // How it stands can be asked always.
    guard !held.isFull || ["/healthz", "/metrics"].contains(route.name) else { throw Problem.full }
    return try await route.handler(routed, self)
  }

  /// Nothing of other sites, no scripts or styles within the page's text, no frames.
  private static let safetyHeaders = [
    (
      "Content-Security-Policy",
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
        + "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
  ]

  private static func addStatus(to router: inout Router) {
    router.add("GET", "/healthz") { request, site in
      try request.query.check([])
      return .json(["status": .string("ok"), "version": .string(Program.version)])
    }
    router.add("GET", "/metrics") { request, site in
      try request.query.check([])
      return Response(
        contentType: "text/plain; version=0.0.4; charset=utf-8",
        bytes: Array(site.metrics.text(gauges: site.gauges).utf8))
    }
    router.add("GET", "/openapi.json") { request, _ in
      try request.query.check([])
      return Response(contentType: "application/json", bytes: PageFile.openAPI)
    }
  }

  private var gauges: [Metrics.Gauge] {
    let queues = [quick, slow, small].flatMap { queue in
      let (waiting, running) = queue.counts
      let labels = "{queue=\"\(queue.name)\"}"
      return [
        Metrics.Gauge(
          name: "lvae_jobs_waiting", help: "Jobs that wait.", labels: labels, value: waiting),
        Metrics.Gauge(
          name: "lvae_jobs_running", help: "Jobs that compute.", labels: labels, value: running),
      ]
    }
    let (count, bytes) = latents.counts
    return queues.sorted { $0.name < $1.name } + [
      Metrics.Gauge(name: "lvae_latents", help: "Latents that clients work with.", value: count),
      Metrics.Gauge(name: "lvae_latents_bytes", help: "The memory they take.", value: bytes),
      Metrics.Gauge(
        name: "lvae_connections", help: "Open connections.", value: connections.count),
      Metrics.Gauge(
        name: "lvae_held_bytes", help: "Bytes of requests and answers in memory.",
        value: held.count),
    ]
  }
}
