#if Studio
  import ArgumentParser
  import Foundation
  import Studio

  struct StudioCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "studio",
      abstract: "Look at pictures, latents, drawings and training in a browser.",
      usage: "lvae studio [<options>] [<folder> …]",
      discussion: """
        A local page, which is part of the program: compress pictures and compare, edit latents while \
        the picture follows, draw step by step, watch training, look through folders.

        Only this machine can reach it, unless --host says otherwise. Only folders that are named can \
        be seen: with pictures and .latent files, or runs of `lvae train` and `lvae diffuse-train`. \
        Nothing is written outside of --workspace. The page uses the API of `lvae serve`.
        """)

    @Argument(
      help: "Folders with pictures, .latent files or runs of training, to be seen in the page.")
    var folders: [String] = []

    @Flag(help: "Open the page in the browser.")
    var open = false

    @Option(
      help: ArgumentHelp(
        "The folder that files may be saved to; made if it is missing.", valueName: "dir"))
    var workspace: String?

    @OptionGroup var options: ServeOptions

    func run() throws {
      var settings = try options.settings()
      settings.folders = folders
      settings.workspace = workspace
      let opens = open
      let run = options.run
      try options.serve(settings) { address in
        if opens, !Self.open(address.url) {
          run.notice("lvae: no browser could be opened; open the address yourself")
        }
      }
    }

    /// Hands an address to the desktop's browser; says whether that worked.
    private static func open(_ address: String) -> Bool {
      let process = Process()
      process.executableURL = URL(filePath: "/usr/bin/env")
      process.arguments = ["xdg-open", address]
      process.standardOutput = FileHandle.nullDevice
      process.standardError = FileHandle.nullDevice
      do {
        try process.run()
      } catch {
        return false
      }
      process.waitUntilExit()
      return process.terminationStatus == 0
    }
  }
#endif
