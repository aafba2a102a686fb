import Foundation
import Pipelines

/// One run of a command over many files: progress, failures, JSON, signals and the exit status.
struct FileRun {
  /// What is done, in progress and in the summary: `encode`, `encoded`.
  let label, verb: String
  let options: RunOptions
  let list: InputList
  let files: [PlannedFile]
  var pipeline = StagePipeline()

  /// What a line of JSON says about one input.
  struct Record<Facts: Encodable & Sendable>: Encodable {
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

  /// Takes the files through the stages, and ends with an error if not all is done.
  ///
  /// - Throws: `StatusError` with the run's exit status, unless all was done.
  func run<Loaded: Sendable, Computed: Sendable, Facts: Encodable & Sendable>(
    isUpToDate: @escaping @Sendable (PlannedFile) throws -> Bool = { _ in false },
    read: @escaping @Sendable (PlannedFile) throws -> Loaded,
    compute: @escaping @Sendable (PlannedFile, Loaded) throws -> Computed,
    write: @escaping @Sendable (PlannedFile, Computed) throws -> Facts,
    finish: () throws -> Void = {}
  ) throws {
    let progress = ProgressReporter(
      label: label, total: files.count,
      style: .standardError(quiet: options.quiet, environment: ProcessInfo.processInfo.environment))
    let interruption = Interruption(notify: { _ in
      progress.message("stopping after the files in hand; once more to stop at once")
    })
    let recorder = RunRecorder(RunSummary(inputs: files.count, failures: list.failures))
    let isJSON = options.json
    for failure in list.failures {
      Self.report(
        Record<Facts>(input: failure.path, status: "failed", error: failure.reason), isJSON)
    }
    progress.begin()
    let report = options.withThreads {
      pipeline.run(
        files, stop: interruption.stop, isUpToDate: isUpToDate, read: read, compute: compute,
        write: write
      ) { file, outcome in
        Self.record(file, outcome, in: recorder, progress, isJSON: isJSON)
      }
    }
    progress.finish()
    try finish()
    recorder.update { $0.finish(report, signal: interruption.signalNumber) }
    let summary = recorder.current
    if isJSON { print(try JSONLines.line(Summary(summary: summary))) }
    if !options.quiet || summary.status != .allDone {
      StandardError.write(summary.text(verb: verb))
    }
    if summary.status != .allDone { throw StatusError(status: summary.status) }
  }

  private static func record<Facts: Encodable & Sendable>(
    _ file: PlannedFile, _ outcome: StageOutcome<Facts>, in recorder: RunRecorder,
    _ progress: ProgressReporter, isJSON: Bool
  ) {
    var record = Record<Facts>(input: file.input.path, output: file.outputPath, status: "done")
    switch outcome {
    case .done(let facts):
      record.facts = facts
      recorder.update { $0.countDone() }
      progress.advance()
    case .upToDate:
      record.status = "skipped"
      recorder.update { $0.countSkipped() }
      progress.advance(.upToDate)
    case .failed(_, let error):
      record.status = "failed"
      record.output = nil
      record.error = String(describing: error)
      recorder.update { $0.countFailure(file.input.path, String(describing: error)) }
      progress.message("\(file.input.path): \(error)")
      progress.advance(.failed)
    }
    report(record, isJSON)
  }

  private static func report(_ record: Record<some Encodable>, _ isJSON: Bool) {
    guard isJSON, let line = try? JSONLines.line(record) else { return }
    print(line)
    fflush(nil)
  }
}
