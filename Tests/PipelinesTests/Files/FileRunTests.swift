import Foundation
import Pipelines
import Synchronization
import TestSupport
import Testing

@Suite struct FileRunTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  private struct NotText: Error, CustomStringConvertible {
    let description = "not a text; give another"
  }

  /// Writes every `.txt` in capitals to `out/….caps`, with a first line that names the program.
  private func capitals(
    force: Bool = false, log: Log = Log(), interruption: Interruption? = nil
  ) throws -> RunSummary {
    let inputs = try InputWalker.expand([folder("in"), folder("none")], extensions: ["txt"])
    let plan = try OutputPlan(
      for: inputs.files, inputExtensions: ["txt"], output: folder("out"), outputExtensions: ["caps"]
    )
    let run = FileRun(
      force: force,
      progress: ProgressReporter(
        label: "caps", total: plan.files.count, style: .lines, output: { log.add($0) }))
    return try run(
      plan.files, failures: inputs.failures, interruption: interruption,
      examine: { file in
        let found = try String(contentsOf: file.outputURL, encoding: .utf8)
        guard found.hasPrefix("CAPS\n") else { return .foreign }
        let source = try String(contentsOf: file.input.url, encoding: .utf8)
        return found == "CAPS\n" + source.uppercased() ? .upToDate : .outdated
      },
      read: { try String(contentsOf: $0.input.url, encoding: .utf8) },
      compute: { _, text in
        if text.isEmpty { throw NotText() }
        if text == "stop" { kill(getpid(), SIGTERM) }
        for _ in 0..<400 where text == "stop" && interruption?.stop.isSet == false { usleep(5000) }
        return text.uppercased()
      },
      pack: { _, text in .init(bytes: Array("CAPS\n\(text)".utf8), note: text.count) },
      report: { file, outcome in
        if case .done(let count) = outcome { log.add("\(file.input.relativePath) \(count)") }
      })
  }

  @Test func everyInputIsDoneOrSkippedOrFailed() throws {
    try folder.write("in/a/x.txt", "one")
    try folder.write("in/b.txt", "two")
    try folder.write("in/empty.txt", "")
    try folder.write("in/mine.txt", "three")
    try folder.write("out/mine.caps", "a letter")
    let log = Log()
    let first = try capitals(log: log)
    #expect(first.inputs == 5 && first.done == 2 && first.skipped == 0 && first.failures.count == 3)
    #expect(first.status == .someFailed)
    #expect(try folder.text("out/a/x.caps") == "CAPS\nONE")
    #expect(try folder.text("out/mine.caps") == "a letter")
    #expect(log.texts.contains("a/x.txt 3"))
    #expect(log.texts.contains("\(folder("in/empty.txt")): not a text; give another\n"))

    let second = try capitals()
    #expect(second.done == 0 && second.skipped == 2 && second.failures.count == 3)
    try folder.write("in/b.txt", "changed")
    let third = try capitals()
    #expect(third.done == 1 && third.skipped == 1)
    #expect(try folder.text("out/b.caps") == "CAPS\nCHANGED")
    let forced = try capitals(force: true)
    #expect(forced.done == 3 && forced.skipped == 0 && forced.failures.count == 2)
  }

  @Test func aSignalFinishesTheFileInHandAndTheNextRunContinues() async throws {
    await #expect(processExitsWith: .exitCode(143)) {
      let test = try FileRunTests()
      for index in 10..<50 { try test.folder.write("in/\(index).txt", "text") }
      try test.folder.write("in/20.txt", "stop")
      let interruption = Interruption { _ in }
      let first = try test.capitals(interruption: interruption)
      guard try test.folder.text("out/20.caps") == "CAPS\nSTOP" else { exit(91) }
      guard first.done >= 11, first.notReached > 0 else { exit(92) }
      guard first.text(verb: "done").hasSuffix("to continue") else { exit(93) }
      let second = try test.capitals()
      guard second.done == first.notReached, second.skipped == first.done else { exit(94) }
      test.folder.remove()
      exit(first.status.code)
    }
  }

  private final class Log: Sendable {
    private let state = Mutex<[String]>([])
    func add(_ text: String) { state.withLock { $0.append(text) } }
    var texts: [String] { state.withLock { $0 } }
  }
}
