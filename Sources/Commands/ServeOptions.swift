#if Studio
  import ArgumentParser
  import Foundation
  import Pipelines
  import Studio

  /// Where a server listens, and how much it takes on.
  struct ServeOptions: ParsableArguments {
    @Option(
      help: ArgumentHelp(
        "The port; 0 for any that is free. Without it, the first free one from 8765 on.",
        valueName: "n"))
    var port: UInt16?

    @Option(
      help: ArgumentHelp(
        "The IPv4 address to listen at, to be reached from other machines: 0.0.0.0 for all of this "
          + "machine's. Requests need a token then.", valueName: "address"))
    var host = "127.0.0.1"

    @Option(
      help: ArgumentHelp(
        "The secret that requests need; $LVAE_TOKEN without it. With --host and neither, one is made "
          + "up and printed.", valueName: "text"))
    var token: String?

    @Option(
      parsing: .singleValue,
      help: ArgumentHelp(
        "An autoencoder or a diffusion model to be served beside the built-in ones and those of "
          + "`lvae models list`: a name, a folder or a file. May be repeated; the first is meant where "
          + "a request names none.", valueName: "name|path"))
    var model: [String] = []

    @Option(
      help: ArgumentHelp("The most bytes of a request: 64MiB without it.", valueName: "size"))
    var maxBytes: MemoryArgument?

    @Option(
      help: ArgumentHelp(
        "The most pixels of a picture, sent or drawn.", valueName: "n"))
    var maxPixels = StudioLimits().pixelCount

    @Option(help: ArgumentHelp("The most steps of a drawing.", valueName: "n"))
    var maxSteps = StudioLimits().stepCount

    @Option(
      help: ArgumentHelp(
        "How long an answer may take, waiting included; drawing step by step may take longer.",
        valueName: "n"))
    var maxSeconds = StudioLimits().secondCount

    @Option(
      help: ArgumentHelp(
        "How many requests may wait to be computed; more are answered 429.", valueName: "n"))
    var queue = StudioLimits().queueLength

    @Option(
      help: ArgumentHelp(
        "How many connections may be open; idle ones make room for new ones.", valueName: "n"))
    var maxConnections = StudioLimits().connectionCount

    @OptionGroup var run: RunOptions

    func validate() throws {
      func check(_ name: String, _ value: Int, _ range: ClosedRange<Int>) throws {
        if !range.contains(value) {
          throw ValidationError(
            "--\(name) \(value): a number from \(range.lowerBound) to \(range.upperBound) is expected"
          )
        }
      }
      try check("max-pixels", maxPixels, 1...1 << 30)
      try check("max-steps", maxSteps, 1...10_000)
      try check("max-seconds", maxSeconds, 1...86_400)
      try check("queue", queue, 1...10_000)
      try check("max-connections", maxConnections, 1...10_000)
      if let token, !Self.isToken(token) {
        throw ValidationError("--token: 8 to 200 letters, digits, '-', '_' and '.' are expected")
      }
    }

    private static func isToken(_ text: String) -> Bool {
      (8...200).contains(text.utf8.count)
        && text.utf8.allSatisfy { byte in
          "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.".utf8.contains(byte)
        }
    }

    /// The settings that these options stand for.
    func settings() throws -> StudioSettings {
      var settings = StudioSettings()
      settings.host = host
      settings.port = port
      settings.models = model
      settings.limits.byteCount = maxBytes?.count.bytes ?? settings.limits.byteCount
      settings.limits.pixelCount = maxPixels
      settings.limits.stepCount = maxSteps
      settings.limits.secondCount = maxSeconds
      settings.limits.queueLength = queue
      settings.limits.connectionCount = maxConnections
      settings.token = token ?? ProcessInfo.processInfo.environment["LVAE_TOKEN"]
      if let token = settings.token, !Self.isToken(token) {
        throw ValidationError(
          "$LVAE_TOKEN: 8 to 200 letters, digits, '-', '_' and '.' are expected")
      }
      if settings.token == nil, host != "127.0.0.1" { settings.token = Self.randomToken() }
      return settings
    }

    private static func randomToken() -> String {
      let alphabet = Array("abcdefghijkmnpqrstuvwxyz23456789")
      return String((0..<32).compactMap { _ in alphabet.randomElement() })
    }

    /// Serves until a signal comes.
    func serve(
      _ settings: StudioSettings,
      ready: @escaping @Sendable (StudioServer.Address) -> Void = { _ in }
    ) throws {
      let interruption = Interruption(notify: { [run] _ in
        run.notice("stopping; once more to stop at once")
      })
      let stop = interruption.stop
      let json = run.json
      let (host, token) = (settings.host, settings.token)
      try run.withThreads {
        try StudioServer.serve(settings, until: { stop.isSet }) { address in
          if json {
            print("{\"url\":\"\(address.url)\",\"port\":\(address.port)}")
          } else {
            print(address.url)
            if host != "127.0.0.1", let token { print("token: \(token)") }
          }
          fflush(nil)
          ready(address)
        }
      }
    }
  }
#endif
