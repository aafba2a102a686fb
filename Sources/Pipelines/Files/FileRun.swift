/// A run over files: each planned output is made from its input, unless it is up to date.
///
/// It joins the parts: ``ResumeRule`` decides, ``StagePipeline`` overlaps the stages,
/// ``OutputFolders`` writes, ``ProgressReporter`` tells, and a ``RunSummary`` comes out.
package struct FileRun: Sendable {
  /// How many threads there are, and how many files are under way.
  package var pipeline: StagePipeline
  /// Whether outputs are made even if they are there.
  package var force: Bool
  /// Who is told of progress and failures.
  package var progress: ProgressReporter

  package init(pipeline: StagePipeline = StagePipeline(), force: Bool, progress: ProgressReporter) {
    self.pipeline = pipeline
    self.force = force
    self.progress = progress
  }

  /// What a stage makes of one file.
  package struct Result<Note: Sendable>: Sendable {
    /// Hands the output's bytes to a sink, piece by piece; nil if nothing is to be written.
    let write: (@Sendable (_ sink: ([UInt8]) throws -> Void) throws -> Void)?
    /// What is to be told of a file of so many bytes.
    let note: @Sendable (_ byteCount: Int) -> Note

    /// A file in memory.
    package init(bytes: [UInt8]?, note: Note) {
      write = if let bytes { { sink in try sink(bytes) } } else { nil }
      self.note = { _ in note }
    }

    /// A file that is never in memory as a whole.
    package init(
      note: @escaping @Sendable (_ byteCount: Int) -> Note,
      write: @escaping @Sendable (_ sink: ([UInt8]) throws -> Void) throws -> Void
    ) {
      self.write = write
      self.note = note
    }
  }

  /// Makes the outputs.
  ///
  /// The calling thread computes, as in a ``StagePipeline``.
  ///
  /// - Parameters:
  ///   - files: What to make, from an ``OutputPlan``.
  ///   - failures: Inputs that could not be found: they count as failed.
  ///   - interruption: Signals that end the run early.
  ///   - stop: What else ends it early; set when `interruption` is, if that is its parent.
  ///   - examine: Looks into an output that exists.
  ///   - read: Reads an input.
  ///   - compute: Computes; one file at a time unless ``pipeline`` says otherwise.
  ///   - pack: Makes the output's bytes, which are then written.
  ///   - report: Told of each file's outcome: one at a time, in the order of `files`.
  /// - Returns: What was done, in total.
  /// - Throws: ``FileError`` if the outputs' names can't be put on the disk in the end.
  package func callAsFunction<Loaded: Sendable, Computed: Sendable, Note: Sendable>(
    _ files: [PlannedFile], failures: [InputFailure] = [], interruption: Interruption? = nil,
    stop: StopFlag? = nil,
    examine: @escaping @Sendable (PlannedFile) throws -> ExistingOutput = { _ in .outdated },
    read: @escaping @Sendable (PlannedFile) throws -> Loaded,
    compute: @escaping @Sendable (PlannedFile, Loaded) throws -> Computed,
    pack: @escaping @Sendable (PlannedFile, Computed) throws -> Result<Note>,
    report: @escaping @Sendable (PlannedFile, StageOutcome<Note>) -> Void = { _, _ in }
  ) throws(FileError) -> RunSummary {
    let folders = OutputFolders()
    let recorder = RunRecorder(RunSummary(inputs: files.count, failures: failures))
    for failure in recorder.current.failures { progress.message(failure.description) }
    progress.begin()
    let force = force
    let stages = pipeline.run(
      files, stop: stop ?? interruption?.stop ?? StopFlag(),
      isUpToDate: { try ResumeRule.isUpToDate($0, force: force, examine: examine) },
      read: read, compute: compute,
      write: { file, computed in
        let result = try pack(file, computed)
        guard let write = result.write else { return result.note(0) }
        let output = try folders.open(file.outputPath)
        var byteCount = 0
        try write { piece in
          try output.write(piece)
          byteCount += piece.count
        }
        try output.commit(syncingFolder: false)
        return result.note(byteCount)
      },
      report: { [progress] file, outcome in
        Self.note(outcome, of: file, in: recorder, progress)
        report(file, outcome)
      })
    progress.finish()
    try folders.finish()
    var summary = recorder.current
    summary.finish(
      stages, signal: interruption?.signalNumber, isAbandoned: stop?.isSet == true)
    return summary
  }

  private static func note(
    _ outcome: StageOutcome<some Sendable>, of file: PlannedFile, in recorder: RunRecorder,
    _ progress: ProgressReporter
  ) {
    switch outcome {
    case .done:
      recorder.update { $0.countDone() }
      progress.advance(.done)
    case .upToDate:
      recorder.update { $0.countSkipped() }
      progress.advance(.upToDate)
    case .failed(_, let error):
      let reason = "\(error)"
      recorder.update { $0.countFailure(file.input.label, reason) }
      progress.message(RunSummary.Failure(path: file.input.label, reason: reason).description)
      progress.advance(.failed)
    }
  }
}
