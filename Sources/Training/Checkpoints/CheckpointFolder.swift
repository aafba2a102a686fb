import Foundation
import Pipelines
public import Tensors

/// The checkpoints of a run: `step-000001500.safetensors` and the like in a folder, the last few of
/// them.
public struct CheckpointFolder: Sendable {
  /// The folder's path.
  public let path: String
  /// How many of the last checkpoints are kept.
  public let keptCount: Int

  private static let prefix = "step-"
  private static let suffix = ".safetensors"
  private static let digitCount = 9

  /// A folder, which is made when the first checkpoint is written.
  ///
  /// - Precondition: at least one checkpoint is kept.
  public init(path: String, keptCount: Int = 2) {
    precondition(keptCount >= 1, "\(keptCount) checkpoints kept")
    self.path = path
    self.keptCount = keptCount
  }

  /// The path of a step's checkpoint.
  public func path(ofStep step: Int) -> String {
    let digits = String(step)
    let zeros = String(repeating: "0", count: max(0, Self.digitCount - digits.count))
    return "\(path)/\(Self.prefix)\(zeros)\(digits)\(Self.suffix)"
  }

  /// The steps of which there are files, the newest first; whether they are whole isn't known.
  public var steps: [Int] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    let steps = names.compactMap { name -> Int? in
      guard name.hasPrefix(Self.prefix), name.hasSuffix(Self.suffix) else { return nil }
      return Int(name.dropFirst(Self.prefix.count).dropLast(Self.suffix.count))
    }
    return steps.filter { $0 >= 0 }.sorted(by: >)
  }

  /// Writes a checkpoint, and then removes those that are older than the last ``keptCount``.
  ///
  /// The file appears only when it is whole and on the disk. If it can't be written, all others
  /// stay.
  ///
  /// - Throws: an error that names the file and says what to do, for instance on a full disk.
  public func save(_ checkpoint: TrainingCheckpoint) throws {
    try FileManager.default.createDirectory(
      atPath: path, withIntermediateDirectories: true)
    AtomicFile.removeStaleTemporaries(in: path)
    try checkpoint.write(to: self.path(ofStep: checkpoint.step))
    let older = steps.filter { $0 <= checkpoint.step }
    for step in older.dropFirst(keptCount) {
      try? FileManager.default.removeItem(atPath: self.path(ofStep: step))
    }
  }

  /// The newest checkpoint that is whole; nil if there is none at all.
  ///
  /// - Parameters:
  ///   - settings: The settings of the run that is to go on.
  ///   - architecture: The fields of the network's `config.json`.
  ///   - notice: Called with each file that is damaged and passed over.
  /// - Returns: The checkpoint.
  /// - Throws: ``TrainingCheckpointError/otherRun(path:differences:)`` if the newest whole one is of
  ///   another run; the last file's error if there are files and none is whole.
  public func newest<Settings: RunConfiguration>(
    settings: Settings, architecture: JSONObject, notice: (String) -> Void = { _ in }
  ) throws(TrainingCheckpointError) -> TrainingCheckpoint? {
    var failure: TrainingCheckpointError?
    for step in steps {
      let path = self.path(ofStep: step)
      let checkpoint: TrainingCheckpoint
      let earlier: Settings
      do {
        checkpoint = try TrainingCheckpoint(readingFrom: path)
        earlier = try checkpoint.readSettings(path: path)
      } catch {
        notice("\(error); it is passed over")
        failure = error
        continue
      }
      let differences =
        Self.differences(architecture, checkpoint.architecture)
        + settings.differences(from: earlier)
      guard differences.isEmpty else { throw .otherRun(path: path, differences: differences) }
      return checkpoint
    }
    if let failure { throw failure }
    return nil
  }

  private static func differences(_ new: JSONObject, _ old: JSONObject) -> [String] {
    let keys = new.members.map(\.key) + old.members.map(\.key).filter { new[$0] == nil }
    return keys.compactMap { key in
      let (new, old) = (new[key] ?? .null, old[key] ?? .null)
      return new == old ? nil : "the network's \(key) is \(new.shown), and was \(old.shown)"
    }
  }
}
