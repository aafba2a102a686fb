import Foundation
import LatentFiles
import Pipelines
import Synchronization
import Tensors

/// A run over tars, one after the other; the members of each go through the stages at the same time.
struct TarRun<Loaded: Sendable, Computed: Sendable, Facts: Encodable & Sendable> {
  let command: FileCommand
  let arguments: TarArguments
  let force: Bool
  let work: TarMemberWork<Loaded, Computed, Facts>

  /// What a line of JSON says about a member, or about a tar that failed.
  private struct Record: Encodable {
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

  /// What became of the members of one tar.
  private struct Progress {
    var summary = RunSummary(inputs: 0)
    var failed: [ManifestRecord.Member] = []
    var records: [Record] = []
  }

  /// Makes the tars, or those of a part.
  ///
  /// - Throws: `StatusError` with the run's exit status, unless all was done.
  func run(
    _ options: ShardOptions, model: ManifestHead.Model?, settings: [String: String]
  ) throws {
    if let stream = arguments.stream {
      if options.claim || options.shard.map({ $0 != .none }) == true {
        throw TarArgumentError.sharedStream
      }
      return try run(stream.source, to: stream.target, name: stream.name)
    }
    let results =
      (try? ShardedRun.results(of: arguments.input, outputExtensions: ["tar"])) ?? ""
    let sharing = ShardedRun(
      command: command, options: options, input: arguments.input, files: arguments.files,
      failures: arguments.failures, model: model, settings: settings, outputExtensions: ["tar"])
    try sharing.run { files, failures, session, tell in
      try run(files, failures, session, results: results, tell)
    }
  }

  // MARK: Streams

  private func run(_ source: TarSource, to target: TarTarget, name: String) throws {
    let session = command.session(total: 1)
    var stages = StageReport()
    var summary = try run(source, to: target, name: name, session, &stages).summary
    if case .file(_, let folders) = target { try folders.finish() }
    summary.finish(stages, signal: session.interruption.signalNumber)
    try command.finish(summary)
  }

  // MARK: Files

  /// Makes some of the tars.
  func run(
    _ files: [PlannedFile], _ failures: [InputFailure], _ session: FileSession, results: String,
    _ tell: @Sendable (ManifestRecord) -> Void
  ) throws -> RunSummary {
    var summary = RunSummary(inputs: 0, failures: failures)
    for failure in failures {
      session.progress.message(
        RunSummary.Failure(path: failure.path, reason: failure.reason).description)
    }
    let folders = OutputFolders()
    let stop = session.stop ?? session.interruption.stop
    var stages = StageReport()
    for file in files {
      if stop.isSet {
        summary.countInput()
        continue
      }
      let (tar, members, outcome) = try run(
        .file(file.input.path), to: .file(file.outputPath, folders), name: file.input.path, session,
        &stages)
      summary.add(tar)
      guard outcome != nil || !tar.failures.isEmpty else { continue }
      var record = ManifestRecord(
        path: file.input.relativePath,
        sha256: try? SHA256.hexadecimal(ofFileAt: file.input.url), status: .done)
      record.error = outcome.map { $0.problem.map { "\($0)" } } ?? tar.failures.first?.reason
      if record.error != nil { record.status = .failed }
      if let outcome, outcome.isWritten {
        record.setOutput(file.outputPath, in: results)
        record.members = outcome.workCount
      }
      record.failedMembers = members.isEmpty ? nil : members
      tell(record)
    }
    try folders.finish()
    summary.finish(
      stages, signal: session.interruption.signalNumber, isAbandoned: stop.isSet)
    return summary
  }

  // MARK: One tar

  /// Makes one tar; failures are counted, and the outcome is nil if it couldn't even be begun.
  private func run(
    _ source: TarSource, to target: TarTarget, name: String, _ session: FileSession,
    _ stages: inout StageReport
  ) throws -> (summary: RunSummary, failed: [ManifestRecord.Member], outcome: TarOutcome?) {
    let progress = ProgressRecorder()
    let outcome: TarOutcome
    do {
      outcome = try command.options.withThreads {
        try TarTranscoder(work, pipeline: command.pipeline)(
          source, to: target, force: force, stop: session.stop ?? session.interruption.stop
        ) { item, outcome in
          note(item, outcome, of: name, to: target, progress, session.progress)
        }
      }
    } catch {
      return (failure(name, error, session), [], nil)
    }
    stages.add(outcome.stages)
    var (summary, failed) = progress.state.withLock { ($0.summary, $0.failed) }
    guard outcome.isWritten || outcome.problem != nil else {
      // It was stopped: nothing of it appears.
      var stopped = RunSummary(inputs: 0)
      stopped.countInput()
      return (stopped, [], nil)
    }
    if !outcome.isWritten, let problem = outcome.problem {
      return (failure(name, problem, session), [], outcome)
    }
    progress.state.withLock { state in
      for record in state.records { FileCommand.print(record) }
    }
    if outcome.droppedCount > 0 {
      session.progress.message(
        "\(name): \(outcome.droppedCount) members were left out with those of their sample that "
          + "failed")
    }
    if let problem = outcome.problem { summary.add(failure(name, problem, session)) }
    session.progress.advance(
      outcome.problem != nil ? .failed : outcome.isChanged ? .done : .upToDate)
    return (summary, failed, outcome)
  }

  private func failure(
    _ name: String, _ error: any Error, _ session: FileSession
  ) -> RunSummary {
    var summary = RunSummary(inputs: 0)
    let failure = RunSummary.Failure(path: name, reason: "\(error)")
    session.progress.message(failure.description)
    summary.countInput()
    summary.countFailure(name, failure.reason)
    if command.options.json {
      FileCommand.print(Record(input: name, status: "failed", error: failure.reason))
    }
    return summary
  }

  private final class ProgressRecorder: Sendable {
    let state = Mutex(Progress())
  }

  private func note(
    _ item: TarItem, _ outcome: StageOutcome<Facts>, of name: String, to target: TarTarget,
    _ recorder: ProgressRecorder, _ progress: ProgressReporter
  ) {
    var record = Record(input: name, member: item.name, status: "done")
    if case .file(let path, _) = target { record.output = path }
    recorder.state.withLock { state in
      state.summary.countInput()
      switch outcome {
      case .done(let facts):
        state.summary.countDone()
        record.facts = facts
      case .upToDate:
        state.summary.countSkipped()
        record.status = "skipped"
      case .failed(_, let error):
        let failure = RunSummary.Failure(path: "\(name): \(item.name)", reason: "\(error)")
        state.summary.countFailure(failure.path, failure.reason)
        state.failed.append(.init(name: item.name, error: failure.reason))
        progress.message(failure.description)
        record.status = "failed"
        record.output = nil
        record.error = failure.reason
      }
      if command.options.json { state.records.append(record) }
    }
  }
}
