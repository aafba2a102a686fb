import Synchronization

/// Writes the manifest of a part while it is worked on.
///
/// Its first line is there from the beginning, so that runs with other settings are refused before
/// they do anything; the records appear in the end, all at once.
package final class ManifestWriter: Sendable {
  /// What is done about manifests of runs with other settings.
  package enum Others {
    /// The run is refused.
    case refused
    /// They are removed.
    case removed
    /// There are none, as the caller has found.
    case known
  }

  private struct State {
    var file: AtomicFile?
    var buffer: [UInt8]
    var done = 0
    var failed = 0
    var failure: (any Error)?
  }

  private let folder: ManifestFolder
  private let state: Mutex<State>
  private static let bufferByteCount = 1 << 16

  /// Begins the manifest of a part, which replaces one of an earlier run.
  ///
  /// - Parameters:
  ///   - head: Its first line.
  ///   - shard: Which part.
  ///   - folder: Where it goes.
  ///   - others: What is done about manifests of other runs.
  /// - Throws: ``FileError``; ``ManifestError/mismatch(path:property:found:other:expected:)`` if
  ///   there are manifests of another run.
  package init(
    _ head: ManifestHead, of shard: Shard, in folder: ManifestFolder, others: Others = .refused
  ) throws {
    self.folder = folder
    let line = Array((try JSONLines.line(head) + "\n").utf8)
    let folders = OutputFolders()
    let path = folder.manifest(of: shard)
    try folder.check(head, of: shard, others: others)
    try folders.write(line, to: path)
    // Once more: of two runs that begin at the same time, at least one sees the other now.
    do {
      try folder.check(head, of: shard, others: others)
    } catch {
      try? SystemCalls.remove(path)
      throw error
    }
    let file = try folders.open(path)
    state = Mutex(State(file: file, buffer: line))
  }

  /// Adds what became of an input.
  ///
  /// What goes wrong is told by ``finish(isComplete:)``.
  package func add(_ record: ManifestRecord) {
    add(line: record) { record.status == .done ? ($0.done += 1) : ($0.failed += 1) }
  }

  /// Adds what was found where inputs are, and can't be one.
  package func add(_ failures: [InputFailure]) {
    for failure in failures {
      add(line: ManifestUnlisted(unlisted: failure.path, error: failure.reason)) { _ in }
    }
  }

  private func add(line: some Encodable & Sendable, _ count: @Sendable (inout State) -> Void) {
    state.withLock { state in
      guard state.failure == nil else { return }
      do {
        state.buffer += Array((try JSONLines.line(line) + "\n").utf8)
        count(&state)
        if state.buffer.count >= Self.bufferByteCount { try Self.flush(&state) }
      } catch {
        state.failure = error
      }
    }
  }

  private static func flush(_ state: inout State) throws {
    try state.file?.write(state.buffer)
    state.buffer = []
  }

  /// Puts the manifest in its place.
  ///
  /// - Parameter isComplete: Whether the run came to its end; without that the manifest says so.
  /// - Throws: ``FileError`` for what couldn't be written.
  package func finish(isComplete: Bool) throws {
    try state.withLock { state in
      if let failure = state.failure { throw failure }
      if isComplete {
        let end = ManifestEnd(done: state.done, failed: state.failed)
        state.buffer += Array((try JSONLines.line(end) + "\n").utf8)
      }
      try Self.flush(&state)
      try state.file?.commit()
      state.file = nil
    }
  }
}

extension ManifestFolder {
  /// Refuses a run whose manifest can't lie beside those that are there.
  ///
  /// - Throws: ``ManifestError``, ``FileError``.
  func check(
    _ head: ManifestHead, of own: Shard, others: ManifestWriter.Others
  ) throws {
    if others == .known { return }
    for shard in try shards() {
      do {
        let found = try ManifestReader(of: shard, in: self).head
        try require(found, agreesWith: head, "this run", at: shard)
      } catch {
        // What is damaged of this part is about to be replaced.
        if shard == own, case .damaged = error { continue }
        guard others == .removed else { throw error }
        try SystemCalls.remove(manifest(of: shard))
      }
    }
  }

  /// Refuses a manifest that isn't of the same run as another one.
  ///
  /// - Throws: ``ManifestError/mismatch(path:property:found:other:expected:)``.
  func require(
    _ found: ManifestHead, agreesWith expected: ManifestHead, _ other: String, at shard: Shard
  ) throws(ManifestError) {
    func text(_ model: ManifestHead.Model?) -> String {
      model.map { "\($0.sha256.prefix(12))… (\($0.name))" } ?? "of each file's own"
    }
    var properties = [
      ("the number of shards", "\(found.shards)", "\(expected.shards)"),
      ("the command", found.command, expected.command),
      ("the model", text(found.model), text(expected.model)),
    ]
    for key in Set(found.settings.keys).union(expected.settings.keys).sorted() {
      properties.append(
        ("--\(key)", found.settings[key] ?? "unset", expected.settings[key] ?? "unset"))
    }
    if found.model?.sha256 == expected.model?.sha256 { properties.remove(at: 2) }
    for (property, found, expected) in properties where found != expected {
      throw .mismatch(
        path: manifest(of: shard), property: property, found: found, other: other,
        expected: expected)
    }
  }
}
