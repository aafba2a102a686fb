import Synchronization

/// Makes a tar of another: members with certain extensions are worked on, the others are carried
/// along byte for byte, in the order in which they come.
///
/// Members stream through: memory is bounded by what is under way, whatever the tar's size. What an
/// earlier run made of a member is kept, if it would be made alike.
package struct TarTranscoder<Loaded: Sendable, Computed: Sendable, Note: Sendable>: Sendable {
  private let work: TarMemberWork<Loaded, Computed, Note>
  private let pipeline: StagePipeline
  private let limits: TarReader.Limits
  /// How many members may be under way that are worked on.
  private let window: Int

  /// How many bytes of members may be under way.
  private static var byteLimit: Int { 1 << 26 }
  private static var carriedWindow: Int { 256 }

  /// A transcoder whose stages are those of `pipeline`.
  package init(
    _ work: TarMemberWork<Loaded, Computed, Note>, pipeline: StagePipeline = StagePipeline(),
    limits: TarReader.Limits = TarReader.Limits()
  ) {
    self.work = work
    var pipeline = pipeline
    window = pipeline.window
    // Captions between pictures must not keep pictures from being read ahead.
    pipeline.window = Self.carriedWindow
    self.pipeline = pipeline
    self.limits = limits
  }

  private enum Content {
    case carried
    case loaded(Loaded)
  }

  private enum Result {
    case carried
    case computed(Computed)
  }

  private struct Packed {
    /// Nil for what is carried along.
    var made: (bytes: [UInt8], note: Note)?
  }

  /// What is under way.
  private struct Load {
    var bytes = 0
    var members = 0
  }

  /// Makes the tar.
  ///
  /// The calling thread computes, as in a ``StagePipeline``.
  ///
  /// - Parameters:
  ///   - source: The tar to read.
  ///   - target: Where the new one goes.
  ///   - force: Whether everything is made anew, and a tar of other programs replaced.
  ///   - stop: Ends it early; then no file appears, and a stream has no end mark.
  ///   - report: Told of each member that is worked on, in order, one at a time.
  /// - Returns: What was done. A tar that is cut off has a ``TarOutcome/problem``, and what was whole
  ///   is done.
  /// - Throws: ``TarError`` for a source that can't be opened, ``RefusedOverwrite``, ``FileError``.
  package func callAsFunction(
    _ source: TarSource, to target: TarTarget, force: Bool = false, stop: StopFlag,
    report: @escaping @Sendable (TarItem, StageOutcome<Note>) -> Void
  ) throws -> TarOutcome {
    let earlier = try force ? nil : earlier(at: target)
    let isNew = earlier == nil
    let stop = StopFlag(stop)
    let items = Mutex(
      TarItems(
        try open(source), earlier: earlier, inputExtensions: work.inputExtensions,
        outputExtension: work.outputExtension))
    let sink = Mutex(
      (sink: try TarSink(target, isNew: isNew), failure: nil as (any Error)?))
    let load = Monitor(Load())
    let stages = pipeline.run(
      from: { _ in next(items, load) }, stop: stop,
      isUpToDate: { item in
        guard item.isWork, let existing = item.existing else { return false }
        return work.isCurrent(item.bytes, existing)
      },
      read: { item in
        item.isWork ? .loaded(try work.read(item.name, item.bytes)) : Content.carried
      },
      compute: { _, content in
        guard case .loaded(let loaded) = content else { return Result.carried }
        return .computed(try work.compute(loaded))
      },
      write: { _, result in try pack(result) },
      report: { item, outcome in
        sink.withLock { state in
          do {
            try Self.write(item, outcome, to: &state.sink)
          } catch {
            state.failure = state.failure ?? error
            stop.set()
          }
        }
        load.withLock { load in
          load.bytes -= item.bytes.count
          if item.isWork { load.members -= 1 }
        }
        if item.isWork { report(item, outcome.map { $0.made?.note }) }
      })
    return try finish(items, sink, stages)
  }

  private func finish(
    _ items: borrowing Mutex<TarItems>,
    _ sink: borrowing Mutex<(sink: TarSink, failure: (any Error)?)>, _ stages: StageReport
  ) throws -> TarOutcome {
    let (problem, hasEnded, isLeftOver) = items.withLock {
      ($0.problem, $0.hasEnded, $0.isEarlierLeftOver)
    }
    return try sink.withLock { state in
      defer { state.sink.discard() }
      if let failure = state.failure { throw failure }
      let isWhole = hasEnded && stages.unfinished == 0
      let isRefused = (problem as? TarError).map { !$0.leavesWholeMembers } ?? (problem != nil)
      if isWhole, !isRefused { try state.sink.finish(isLeftOver: isLeftOver) }
      return TarOutcome(
        counts: state.sink.counts, problem: problem, isChanged: state.sink.isChanged,
        isWritten: isWhole && !isRefused, stages: stages)
    }
  }

  // MARK: What was there

  private func open(_ source: TarSource) throws(TarError) -> TarReader {
    switch source {
    case .file(let path): try TarReader(path: path, limits: limits, refusesOtherKinds: true)
    case .standardInput: try TarReader(standardInputLimits: limits, refusesOtherKinds: true)
    }
  }

  /// The tar that an earlier run made; nil if there is none.
  private func earlier(at target: TarTarget) throws -> TarReader? {
    guard case .file(let path, _) = target,
      (try? SystemCalls.status(of: path, followingLinks: false)) != nil
    else { return nil }
    guard let reader = try? TarReader(path: path, limits: limits), isOwn(reader) else {
      throw RefusedOverwrite(path: path)
    }
    return try TarReader(path: path, limits: limits)
  }

  /// Whether the first result in a tar is this program's; a tar without any members is taken for
  /// its own.
  private func isOwn(_ reader: TarReader) -> Bool {
    var isEmpty = true
    while let member = try? reader.next() {
      isEmpty = false
      guard PathText.fileExtension(of: member.name) == work.outputExtension else { continue }
      return (try? reader.bytes()).map(work.isOwn) ?? false
    }
    return isEmpty
  }

  // MARK: The stages

  private func next(_ items: borrowing Mutex<TarItems>, _ load: Monitor<Load>) -> TarItem? {
    guard let item = items.withLock({ $0.next() }) else { return nil }
    let window = window
    load.wait { load -> Void? in
      let isFree =
        load.bytes == 0
        || load.bytes + item.bytes.count <= Self.byteLimit
          && (!item.isWork || load.members < window)
      guard isFree else { return nil }
      load.bytes += item.bytes.count
      if item.isWork { load.members += 1 }
      return ()
    }
    return item
  }

  private func pack(_ result: Result) throws -> Packed {
    guard case .computed(let computed) = result else { return Packed() }
    let made = try work.pack(computed)
    var bytes: [UInt8] = []
    try made.write? { bytes += $0 }
    return Packed(made: (bytes, made.note(bytes.count)))
  }

  private static func write(
    _ item: TarItem, _ outcome: StageOutcome<Packed>, to sink: inout TarSink
  ) throws {
    switch outcome {
    case .done(let packed):
      if let made = packed.made {
        try sink.add(item, made.bytes, as: .made, isNew: true)
      } else {
        try sink.add(item, item.bytes, as: .carried, isNew: item.existing != item.bytes)
      }
    case .upToDate: try sink.add(item, item.existing ?? [], as: .kept, isNew: false)
    case .failed: try sink.fail(item)
    }
  }
}

/// What became of a tar.
package struct TarOutcome: Sendable {
  /// What was written, in members.
  let counts: TarSink.Counts
  /// Why it ended before its end.
  package let problem: (any Error)?
  /// Whether anything differs from the tar that was there.
  package let isChanged: Bool
  /// Whether the tar is in its place; not if it was stopped, or its source refused.
  package let isWritten: Bool
  /// What the stages took.
  package let stages: StageReport

  /// How many members were made or kept.
  package var workCount: Int { counts.made + counts.kept }
  /// How many members were carried along.
  package var carriedCount: Int { counts.carried }
  /// How many members were left out with one of their sample that failed.
  package var droppedCount: Int { counts.dropped }
}

extension TarError {
  /// Whether what came before is a data set of its own: a tar that is cut off; not one that is
  /// refused for what it holds.
  fileprivate var leavesWholeMembers: Bool {
    switch self {
    case .cutOff, .damaged: true
    default: false
    }
  }
}

extension StageOutcome {
  /// The same outcome with what `transform` makes of the output; that isn't nil for what was done.
  fileprivate func map<Other>(_ transform: (Output) -> Other?) -> StageOutcome<Other> {
    switch self {
    case .done(let output):
      if let other = transform(output) { .done(other) } else { .upToDate }
    case .upToDate: .upToDate
    case .failed(let stage, let error): .failed(stage, error)
    }
  }
}
