import Foundation
import Pipelines

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
    var output: String?
    var status: String
    var error: String?
    var facts: Facts?

    private enum Keys: String, CodingKey { case input, output, status, error }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Keys.self)
      try container.encode(input, forKey: .input)
      try container.encodeIfPresent(output, forKey: .output)
      try container.encode(status, forKey: .status)
      try container.encodeIfPresent(error, forKey: .error)
      try facts?.encode(to: encoder)
    }
  }

  private struct Summary: Encodable {
    let summary: RunSummary
  }

  /// Takes the files through the stages of a `FileRun`.
  ///
  /// `announce` gives what is to be said on standard error before a file is computed, and `line` what
  /// is printed on standard output for a file that was done, unless it is JSON.
  ///
  /// - Throws: `StatusError` with the run's exit status, unless all was done.
  func run<Loaded: Sendable, Computed: Sendable, Facts: Encodable & Sendable>(
    _ files: [PlannedFile], _ list: InputList, force: Bool,
    line: @escaping @Sendable (PlannedFile, Facts) -> String? = { _, _ in nil },
    examine: @escaping @Sendable (PlannedFile) throws -> ExistingOutput = { _ in .outdated },
    read: @escaping @Sendable (PlannedFile) throws -> Loaded,
    announce: @escaping @Sendable (Loaded) -> String? = { _ in nil },
    compute: @escaping @Sendable (PlannedFile, Loaded) throws -> Computed,
    pack: @escaping @Sendable (PlannedFile, Computed) throws -> FileRun.Result<Facts>
  ) throws {
    let isJSON = options.json
    for failure in list.failures where isJSON {
      Self.print(
        Record<Facts>(input: failure.path, status: "failed", error: failure.reason))
    }
    let summary = try process(
      files, list, force: force, examine: examine, read: read, announce: announce,
      compute: compute, pack: pack
    ) { progress, file, outcome in
      if isJSON {
        Self.print(Self.record(of: file, outcome))
      } else if case .done(let facts) = outcome, let text = line(file, facts) {
        progress.finish()
        Self.print(line: text)
      }
    }
    if isJSON { Self.print(Summary(summary: summary)) }
    try conclude(summary)
  }

  /// Takes the files through the stages, and tells of each outcome only `report`: one at a time, in
  /// the order of the files.
  func process<Loaded: Sendable, Computed: Sendable, Facts: Sendable>(
    _ files: [PlannedFile], _ list: InputList, force: Bool,
    examine: @escaping @Sendable (PlannedFile) throws -> ExistingOutput = { _ in .outdated },
    read: @escaping @Sendable (PlannedFile) throws -> Loaded,
    announce: @escaping @Sendable (Loaded) -> String? = { _ in nil },
    compute: @escaping @Sendable (PlannedFile, Loaded) throws -> Computed,
    pack: @escaping @Sendable (PlannedFile, Computed) throws -> FileRun.Result<Facts>,
    report: @escaping @Sendable (ProgressReporter, PlannedFile, StageOutcome<Facts>) -> Void
  ) throws -> RunSummary {
    let progress = ProgressReporter(
      label: label, total: files.count,
      style: .standardError(quiet: options.quiet, environment: ProcessInfo.processInfo.environment))
    let interruption = Interruption(notify: { _ in
      progress.message("stopping after the files in hand; once more to stop at once")
    })
    let pipeline =
      memory.byteCount == nil
      ? StagePipeline() : StagePipeline(readers: 1, computers: 1, writers: 1, window: 1)
    return try options.withThreads {
      try FileRun(pipeline: pipeline, force: force, progress: progress)(
        files, failures: list.failures, interruption: interruption, examine: examine, read: read,
        compute: { file, loaded in
          if let text = announce(loaded) { progress.message("\(file.input.path): \(text)") }
          return try compute(file, loaded)
        }, pack: pack
      ) { file, outcome in report(progress, file, outcome) }
    }
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
    var record = Record<Facts>(input: file.input.path, output: output, status: "done")
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
  private static func print(_ value: some Encodable) {
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
