import Pipelines
import Synchronization

/// What is done with each file of a run, stage by stage.
struct FileJob<Loaded: Sendable, Computed: Sendable, Facts: Sendable>: Sendable {
  /// What is printed on standard output for a file that was done, unless it is JSON.
  var line: @Sendable (PlannedFile, Facts) -> String? = { _, _ in nil }
  /// Looks into an output that exists.
  var examine: @Sendable (PlannedFile) throws -> ExistingOutput = { _ in .outdated }
  /// Reads an input.
  var read: @Sendable (PlannedFile) throws -> Loaded
  /// What is to be said on standard error before a file is computed.
  var announce: @Sendable (Loaded) -> String? = { _ in nil }
  /// Computes.
  var compute: @Sendable (PlannedFile, Loaded) throws -> Computed
  /// Makes the output's bytes.
  var pack: @Sendable (PlannedFile, Computed) throws -> FileRun.Result<Facts>
}

/// Who is told of a run, and who ends it.
struct FileSession: Sendable {
  let progress: ProgressReporter
  let interruption: Interruption
  /// What else ends it.
  var stop: StopFlag?
}

/// The SHA-256 of inputs between their reading and the report of what became of them.
final class SourceHashes: Sendable {
  private let found = Mutex<[String: String]>([:])

  /// Notes the hash of a file.
  func note(_ sha256: String, of file: PlannedFile) {
    found.withLock { $0[file.input.relativePath] = sha256 }
  }

  /// The hash of a file, which is forgotten.
  func take(_ file: PlannedFile) -> String? {
    found.withLock { $0.removeValue(forKey: file.input.relativePath) }
  }
}
