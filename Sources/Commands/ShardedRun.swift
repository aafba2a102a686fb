import Foundation
import Pipelines

/// A run over all inputs, over one part of them with a manifest, or over parts that are claimed one
/// after the other.
struct ShardedRun {
  /// Works on some of the files: what can't be found counts as failed, and `tell` gets a record of
  /// each file.
  typealias Work = (
    _ files: [PlannedFile], _ failures: [InputFailure], _ session: FileSession,
    _ tell: @escaping @Sendable (ManifestRecord) -> Void
  ) throws -> RunSummary

  let command: FileCommand
  let options: ShardOptions
  let input: InputOptions
  let files: [PlannedFile]
  let failures: [InputFailure]
  /// The model that all results are of, and what else they depend on.
  let model: ManifestHead.Model?
  let settings: [String: String]
  /// The extensions of a result that `--output` may name instead of a folder.
  let outputExtensions: [String]

  /// Works on what the options say.
  ///
  /// - Throws: `StatusError` with the run's exit status, unless all was done.
  func run(_ work: Work) throws {
    switch try options.selection(notice: StandardError.write) {
    case .all:
      try command.finish(
        work(files, failures, command.session(total: files.count)) { _ in })
    case .part(let shard): try run(shard, work)
    case .claims: try runClaims(work)
    }
  }

  /// Takes the files that the options choose through the stages of a job.
  ///
  /// - Throws: as ``run(_:)``.
  func run<Loaded: Sendable, Computed: Sendable, Facts: Encodable & Sendable>(
    _ job: FileJob<Loaded, Computed, Facts>, hashes: SourceHashes
  ) throws {
    let results =
      (try? Self.results(of: input, outputExtensions: outputExtensions)) ?? ""
    try run { files, failures, session, tell in
      try command.perform(files, failures, force: input.force, job, in: session) { file, outcome in
        tell(ManifestRecord(file, outcome, sha256: hashes.take(file), in: results))
      }
    }
  }

  /// The folder of results, in which the manifests lie.
  static func results(of input: InputOptions, outputExtensions: [String]) throws -> String {
    if let output = input.output {
      if OutputPlan.namesFile(output, extensions: outputExtensions) { throw ManifestError.noFolder }
      return output
    }
    guard input.inputs.count == 1, InputWalker.isFolder(input.inputs[0]) else {
      throw ManifestError.noFolder
    }
    return input.inputs[0]
  }

  private func manifests() throws -> ManifestFolder {
    ManifestFolder(
      results: try Self.results(of: input, outputExtensions: outputExtensions))
  }

  private func head(_ shard: Shard) -> ManifestHead {
    ManifestHead(
      command: command.label, shard: shard, model: model, settings: settings,
      paths: files.map(\.input.relativePath))
  }

  // MARK: One part

  private func run(_ shard: Shard, _ work: Work) throws {
    let mine = files.filter { shard.contains($0.input.relativePath) }
    let writer = try ManifestWriter(
      head(shard), of: shard, in: manifests(), others: input.force ? .removed : .refused)
    // What belongs to no part is told by the first.
    let failures = shard.index == 0 ? failures : []
    writer.add(failures)
    let summary = try work(mine, failures, command.session(total: mine.count), writer.add)
    try writer.finish(isComplete: summary.signal == nil)
    try command.finish(summary)
  }

  // MARK: Claims

  /// How many parts so many inputs are shared in: enough for many processes, and not so many that
  /// claiming them takes the time.
  static func partCount(inputs: Int) -> Int { max(min(inputs, 16), min(256, inputs / 32), 1) }

  private func runClaims(_ work: Work) throws {
    if input.force {
      throw ClaimError.force
    }
    let folder = try manifests()
    // Whoever came first has chosen.
    let count = try folder.shards().first?.count ?? Self.partCount(inputs: files.count)
    let claims = try ClaimFolder(path: folder.claims, expiry: options.lease)
    let groups = Dictionary(
      grouping: files, by: { Shard.index(of: $0.input.relativePath, among: count) })
    // Each process begins elsewhere, so that they seldom want the same part.
    let start = Int(ProcessInfo.processInfo.processIdentifier) % count
    var open = (0..<count).compactMap { Shard(index: ($0 + start) % count, count: count) }
    let heads = head(open[0])
    let session = command.session(total: files.count)
    var summary = RunSummary(inputs: 0)
    var isWaiting = false
    while !open.isEmpty, !session.interruption.stop.isSet {
      var rest: [Shard] = []
      for shard in open {
        let part = groups[shard.index] ?? []
        switch try claimAndRun(shard, part, heads, claims, folder, session, work) {
        case .finishedByOthers: for _ in part { session.progress.advance(.upToDate) }
        case .worked(let done): summary.add(done)
        case .taken: rest.append(shard)
        }
        if session.interruption.stop.isSet { break }
      }
      if rest.count == open.count { wait(for: rest.count, session, &isWaiting) }
      open = rest
    }
    session.progress.finish()
    if !open.isEmpty { summary.interrupt(signal: session.interruption.signalNumber) }
    try command.finish(summary)
  }

  private func wait(for count: Int, _ session: FileSession, _ isWaiting: inout Bool) {
    if !isWaiting {
      session.progress.message("waiting for \(count) parts that other processes work on")
    }
    isWaiting = true
    Thread.sleep(forTimeInterval: min(0.5, options.lease / 8))
  }

  private enum Attempt {
    /// Another process has finished the part.
    case finishedByOthers
    /// Another process works on the part.
    case taken
    /// This one did.
    case worked(RunSummary)
  }

  private func claimAndRun(
    _ shard: Shard, _ files: [PlannedFile], _ heads: ManifestHead, _ claims: ClaimFolder,
    _ folder: ManifestFolder, _ session: FileSession, _ work: Work
  ) throws -> Attempt {
    if folder.isFinished(shard, as: heads) { return .finishedByOthers }
    guard let claim = try claims.claim(shard) else { return .taken }
    defer { claim.release() }
    // It may have been finished between the two questions.
    if folder.isFinished(shard, as: heads) { return .finishedByOthers }
    var session = session
    session.stop = StopFlag(session.interruption.stop, claim.isLost)
    let summary = try run(claim, files: files, heads, in: folder, session, work)
    return claim.isLost.isSet ? .taken : .worked(summary)
  }

  private func run(
    _ claim: Claim, files: [PlannedFile], _ heads: ManifestHead, in folder: ManifestFolder,
    _ session: FileSession, _ work: Work
  ) throws -> RunSummary {
    var head = heads
    head.shard = claim.shard.index
    let failures = claim.shard.index == 0 ? failures : []
    let writer = try ManifestWriter(head, of: claim.shard, in: folder)
    writer.add(failures)
    let summary = try work(files, failures, session, writer.add)
    if !claim.isLost.isSet { try writer.finish(isComplete: summary.signal == nil) }
    return summary
  }
}

/// Why parts can't be claimed.
enum ClaimError: Error, CustomStringConvertible {
  case force

  var description: String {
    "--claim and --force: each process would make everything anew; remove the folder of results, or "
      + "leave one of them out"
  }
}
