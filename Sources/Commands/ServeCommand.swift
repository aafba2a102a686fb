#if Studio
  import ArgumentParser
  import Studio

  struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "serve",
      abstract: "Serve encoding, decoding and drawing over HTTP.",
      usage: "lvae serve [<options>]",
      discussion: """
        The address is printed once it listens. /openapi.json describes all requests, in the form of \
        OpenAPI 3.1; /healthz says whether the server lives, /metrics counts, for Prometheus.

          curl --data-binary @cat.png -o cat.latent 'http://127.0.0.1:8765/api/encode?storage=int6'
          curl --data-binary @cat.latent -o cat.png  http://127.0.0.1:8765/api/decode
          curl -d '{"class":"food","seed":7}' -o food.png http://127.0.0.1:8765/api/diffuse

        Only this machine can reach it, unless --host says otherwise. Nothing is written. Ctrl-C ends \
        it in good order; once more at once.
        """)

    @OptionGroup var options: ServeOptions

    func run() throws {
      var settings = try options.settings()
      settings.servesPage = false
      try options.serve(settings)
    }
  }
#endif
