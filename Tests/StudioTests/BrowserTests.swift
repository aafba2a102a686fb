#if Studio
  import Foundation
  import Images
  import LatentFiles
  import Pipelines
  import TestSupport
  import Testing

  /// The page in Chromium, driven by `Browser/page_test.py`.
  ///
  /// `LVAE_BROWSER_PYTHON` names a Python that has playwright; `LVAE_SCREENSHOTS` a folder where
  /// screenshots are kept.
  @Suite struct BrowserTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let python = environment["LVAE_BROWSER_PYTHON"] ?? "python3"
    private static let program = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
      .deletingLastPathComponent().appending(path: "lvae").path
    private static let script = SharedFiles.checkout
      .appending(path: "Tests/StudioTests/Browser/page_test.py").path

    private static let isAvailable =
      FileManager.default.isExecutableFile(atPath: "/usr/bin/chromium")
      && (try? output(ofProgram: "/usr/bin/env", [python, "-c", "import playwright"])) != nil

    /// As many files as the page has to scroll through.
    private static let fileCount = 10_000

    @Test(
      .enabled(
        if: isAvailable,
        "skipped: needs chromium, and playwright from PyPI (set LVAE_BROWSER_PYTHON to a Python)"))
    func thePageDoesWhatItSays() throws {
      let folder = try TemporaryFolder()
      let out = Self.environment["LVAE_SCREENSHOTS"] ?? folder("out")
      try makeRun(folder("runs/first"))
      try makeFiles(folder("pictures"))
      // What it says matters, and not its status.
      let said = try output(
        ofProgram: "/bin/bash",
        [
          "-c", "\"$0\" \"$@\" 2>&1 || true", Self.python, Self.script, Self.program,
          folder("runs"),
          folder("pictures"), out,
        ])
      let text = String(decoding: said, as: UTF8.self)
      #expect(text.contains("all is well"), "\(text)")
    }

    private func write(_ bytes: [UInt8], to path: String) throws {
      let url = URL(filePath: path)
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(bytes).write(to: url)
    }

    private func makeRun(_ path: String) throws {
      let lines = (1...40).map { index in
        #"{"step":\#(index * 20),"loss":\#(1.0 / Double(index)),"mse":\#(0.5 / Double(index)),"#
          + #""kl":0.2,"kl.0":3.1,"kl.1":2.5,"gradient_norm":0.1,"validation.mse":0.02}"#
      }
      try write(
        Array((lines.joined(separator: "\n") + "\n").utf8), to: "\(path)/training/log.jsonl")
      try write(
        try samplePicture(120, 60).encoded(as: .png()),
        to: "\(path)/training/samples/step-000000800.png")
    }

    private func makeFiles(_ path: String) throws {
      let picture = try samplePicture(96, 72).encoded(as: .png())
      let codec = LatentCodec(try #require(try EmbeddedModels.load("photo")))
      try write(picture, to: "\(path)/0.png")
      try write(try codec.encode(Image(decoding: picture)).encoded(), to: "\(path)/0.latent")
      for index in 1..<Self.fileCount / 2 {
        for ending in ["png", "latent"] {
          try FileManager.default.linkItem(
            atPath: "\(path)/0.\(ending)", toPath: "\(path)/\(index).\(ending)")
        }
      }
    }
  }
#endif
