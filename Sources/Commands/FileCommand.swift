import Foundation
import Pipelines
import Tensors

/// What the commands that work on many files have in common: progress, signals, JSON, and the exit
/// status.
struct FileCommand {
  /// What is done, in progress and in the summary: `encode`, `encoded`.
  let label, verb: String
  let options: RunOptions
  /// With a limit, files are taken one after the other.
  var memory = MemoryLimit()

  /// What a line of JSON says about one input.
  private struct Record<Facts: Encodable>: Encodable {
    var input: String
    var member: String?
    var output: String?
    var status: String
    var error: String?
    var facts: Facts?

    private enum Keys: String, CodingKey { case input, member, output, status, error }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Keys.self)
      try container.encode(input, forKey: .input)
      try container.encodeIfPresent(member, forKey: .member)
      try container.encodeIfPresent(output, forKey: .output)
      try container.encode(status, forKey: .status)
      try container.encodeIfPresent(error, forKey: .error)
      try facts?.encode(to: encoder)
    }
  }

  private struct Summary: Encodable {
    let summary: RunSummary
  }

  /// Takes the files through the stages of a `FileRun`, and prints what became of each.
  ///
  /// - Throws: `StatusError` with the run's exit status, unless all was done.
  func run<Loaded: Sendable, Computed: Sendable, Facts: Encodable & Sendable>(
    _ files: [PlannedFile], _ list: InputList, force: Bool, _ job: FileJob<Loaded, Computed, Facts>
  ) throws {
    let session = session(total: files.count)
    try finish(
      perform(files, list.failures, force: force, job, in: session) { _, _ in })
  }

  /// Progress and signals for a run over so many files.
  func session(total: Int) -> FileSession {
    let progress = options.progress(label, total: total)
    let interruption = Interruption(notify: { _ in
      progress.message("stopping after the files in hand; once more to stop at once")
    })
    return FileSession(progress: progress, interruption: interruption)
  }

  /// Takes the files through the stages, and prints what became of each.
  ///
  /// `tell` is told of each outcome too: one at a time, in the order of the files.
  func perform<Loaded: Sendable, Computed: Sendable, Facts: Encodable & Sendable>(
    _ files: [PlannedFile], _ failures: [InputFailure], force: Bool,
    _ job: FileJob<Loaded, Computed, Facts>, in session: FileSession,
    tell: @escaping @Sendable (PlannedFile, StageOutcome<Facts>) -> Void
  ) throws -> RunSummary {
    let isJSON = options.json
    for failure in failures where isJSON {
      Self.print(
        Record<Facts>(input: failure.path, status: "failed", error: failure.reason))
    }
    return try process(
      files, failures, force: force, job, in: session
    ) { file, outcome in
      tell(file, outcome)
      if isJSON {
        Self.print(Self.record(of: file, outcome))
      } else if case .done(let facts) = outcome, let text = job.line(file, facts) {
        session.progress.finish()
        Self.print(line: text)
      }
    }
  }

  /// Takes the files through the stages, and tells of each outcome only `report`: one at a time, in
  /// the order of the files.
  func process<Loaded: Sendable, Computed: Sendable, Facts: Sendable>(
    _ files: [PlannedFile], _ failures: [InputFailure], force: Bool,
    _ job: FileJob<Loaded, Computed, Facts>, in session: FileSession,
    report: @escaping @Sendable (PlannedFile, StageOutcome<Facts>) -> Void
  ) throws -> RunSummary {
    let progress = session.progress
    return try options.withThreads {
      try FileRun(pipeline: pipeline, force: force, progress: progress)(
        files, failures: failures, interruption: session.interruption, stop: session.stop,
        examine: job.examine, read: job.read,
        compute: { file, loaded in
          if let text = job.announce(loaded) { progress.message("\(file.input.label): \(text)") }
          return try job.compute(file, loaded)
        }, pack: job.pack, report: report)
    }
  }

  /// How files are taken through the stages: a file for each thread, as far as memory allows.
  var pipeline: StagePipeline {
    memory.byteCount == nil
      ? StagePipeline(computers: ThreadPool.current.threadCount)
      : StagePipeline(readers: 1, computers: 1, writers: 1, window: 1)
  }

  /// Prints the summary for a program, and says what was done.
  ///
  /// - Throws: `StatusError` with the run's exit status, unless all was done.
  func finish(_ summary: RunSummary) throws {
    if options.json { Self.print(Summary(summary: summary)) }
    try conclude(summary)
  }

  /// Says what was done.
  ///
  /// - Throws: `StatusError` with the run's exit status, unless all was done.
  func conclude(_ summary: RunSummary) throws {
    if !options.quiet || summary.status != .allDone {
      StandardError.write(summary.text(verb: verb))
    }
    if summary.status != .allDone { throw StatusError(status: summary.status) }
  }

  private static func record<Facts: Encodable>(
    of file: PlannedFile, _ outcome: StageOutcome<Facts>
  ) -> Record<Facts> {
    let output = file.outputPath.isEmpty ? nil : file.outputPath
    var record = Record<Facts>(
      input: file.input.path, member: file.input.member?.name, output: output, status: "done")
    switch outcome {
    case .done(let facts): record.facts = facts
    case .upToDate: record.status = "skipped"
    case .failed(_, let error):
      record.status = "failed"
      record.output = nil
      record.error = String(describing: error)
    }
    return record
  }

  /// Prints a line that another program can read at once.
  static func print(_ value: some Encodable) {
    do {
      print(line: try JSONLines.line(value))
    } catch {
      StandardError.write("lvae: a line of JSON is left out: \(error)")
    }
  }

  private static func print(line: String) {
    Swift.print(line)
    fflush(nil)
  }
}
