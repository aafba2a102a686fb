import Foundation
import LatentFiles

/// What the manifests of a folder say together: whether each input became an output, or failed for a
/// reason.
package struct Coverage: Sendable {
  /// The first line that all manifests have in common, but for the shard.
  package private(set) var head: ManifestHead
  /// What became of the inputs, by their paths.
  package private(set) var records: [String: ManifestRecord] = [:]
  /// What was found where inputs are, and can't be one.
  package private(set) var unlisted: [InputFailure] = []
  /// The parts without a manifest.
  package private(set) var missingShards: [Int] = []
  /// The parts whose runs didn't come to their end, or are still at work.
  package private(set) var unfinishedShards: [Int] = []
  /// The programs that wrote the manifests.
  package private(set) var programs: Set<String> = []
  /// Whether all parts saw the same list of inputs.
  package private(set) var isOneList = true
  /// Inputs that are done according to the manifests, and whose outputs aren't: why.
  package private(set) var damaged: [String: String] = [:]
  private let folder: ManifestFolder

  /// Reads the manifests of a folder and looks at each output.
  ///
  /// - Parameter folder: The manifests.
  /// - Throws: ``ManifestError`` if there are none, they aren't of one run, or one can't be trusted;
  ///   ``FileError``.
  package init(of folder: ManifestFolder) throws {
    self.folder = folder
    let shards = try folder.shards()
    guard let first = shards.first else { throw ManifestError.none(folder: folder.results) }
    let head = try ManifestReader(of: first, in: folder).head
    self.head = head
    let present = Set(shards.map(\.index))
    missingShards = (0..<head.shards).filter { !present.contains($0) }
    for shard in shards {
      var reader = try ManifestReader(of: shard, in: folder)
      try folder.require(
        reader.head, agreesWith: head, folder.manifest(of: first), at: shard)
      programs.insert(reader.head.program)
      if reader.head.list != head.list { isOneList = false }
      while let record = try reader.next() {
        guard records.updateValue(record, forKey: record.path) == nil else {
          throw reader.duplicate(record)
        }
      }
      if !reader.isFinished { unfinishedShards.append(shard.index) }
      unlisted += reader.unlisted.filter { !unlisted.contains($0) }
    }
    try checkOutputs()
  }

  /// The inputs that failed, and why, in order.
  package var failures: [RunSummary.Failure] {
    sorted.flatMap { record -> [RunSummary.Failure] in
      let members = (record.failedMembers ?? []).map { member in
        RunSummary.Failure(path: "\(record.path): \(member.name)", reason: member.error)
      }
      guard record.status == .failed else { return members }
      return [.init(path: record.path, reason: record.error ?? "no reason is known")] + members
    }
  }

  /// How many inputs have their outputs.
  package var doneCount: Int {
    records.values.count { $0.status == .done } - damaged.count
  }

  /// The records in the order of their paths.
  package var sorted: [ManifestRecord] { records.values.sorted { $0.path < $1.path } }

  /// Whether every input has a record, as far as the manifests know.
  package var isComplete: Bool {
    missingShards.isEmpty && unfinishedShards.isEmpty && damaged.isEmpty && isOneList
      && records.count == head.inputs
  }

  /// The inputs that no manifest names, or whose outputs are damaged, and those that failed if they
  /// are to be tried again.
  package func open(among files: [InputFile], withFailed: Bool) -> [InputFile] {
    files.filter { file in
      guard let record = records[file.relativePath] else { return true }
      return damaged[file.relativePath] != nil
        || withFailed && (record.status == .failed || record.failedMembers != nil)
    }
  }

  // MARK: Outputs

  private mutating func checkOutputs() throws {
    damaged = [:]
    var folders = RealFolders(root: folder.results)
    for record in records.values where record.status == .done {
      guard let output = record.output, let byteCount = record.bytes else { continue }
      guard try folders.holds(output) else {
        throw ManifestError.unsafePath(
          path: folder.path, line: 0, found: output)
      }
      if let reason = flaw(of: output, byteCount: byteCount, record) {
        damaged[record.path] = reason
      }
    }
  }

  /// What is wrong with an output; nil if nothing is.
  private func flaw(of output: String, byteCount: Int, _ record: ManifestRecord) -> String? {
    let path = PathText.join(folder.results, output)
    guard let found = try? SystemCalls.status(of: path, followingLinks: false) else {
      return "its output \(path) is gone"
    }
    guard found.kind == .file, found.byteCount == byteCount else {
      return "its output \(path) has \(found.byteCount) bytes instead of \(byteCount)"
    }
    guard PathText.fileExtension(of: output) == "latent" else { return nil }
    guard let header = try? LatentFile.readHeader(contentsOf: URL(filePath: path)) else {
      return "its output \(path) is damaged"
    }
    if let model = head.model, header.metadata.model.sha256 != model.sha256 {
      return "its output \(path) is of another model, \(header.metadata.model.name)"
    }
    if let sha256 = record.sha256, let source = header.metadata.source?.sha256, source != sha256 {
      return "its output \(path) was made of another picture"
    }
    return nil
  }

  // MARK: Writing

  /// Takes over what became of inputs that were tried again, and writes the manifests anew that
  /// change by it.
  ///
  /// - Throws: ``FileError``, ``ManifestError``.
  package mutating func update(
    _ changes: [ManifestRecord], list files: [InputFile], unlisted: [InputFailure],
    isComplete: Bool
  ) throws {
    self.unlisted = unlisted
    for record in changes { records[record.path] = record }
    let listed = Set(files.map(\.relativePath))
    // What isn't there any more needs no record.
    records = records.filter { listed.contains($0.key) }
    head.inputs = files.count
    head.list = ManifestHead.digest(of: files.map(\.relativePath))
    let groups = Dictionary(grouping: sorted) { Shard.index(of: $0.path, among: head.shards) }
    for index in 0..<head.shards {
      guard let shard = Shard(index: index, count: head.shards) else { continue }
      let writer = try ManifestWriter(
        head.head(ofPart: index), of: shard, in: folder, others: .known)
      if index == 0 { writer.add(unlisted) }
      for record in groups[index] ?? [] { writer.add(record) }
      try writer.finish(isComplete: isComplete)
    }
    (missingShards, isOneList) = ([], true)
    unfinishedShards = isComplete ? [] : Array(0..<head.shards)
    try checkOutputs()
  }

  /// Writes the manifest of all parts together, in the order of the paths.
  ///
  /// - Throws: ``FileError``.
  package func writeMerged() throws {
    let file = try OutputFolders().open(folder.mergedManifest)
    try file.write(Array((try JSONLines.line(head.head(ofPart: 0)) + "\n").utf8))
    for record in sorted { try file.write(Array((try JSONLines.line(record) + "\n").utf8)) }
    let failed = records.values.count { $0.status == .failed }
    let end = ManifestEnd(done: records.count - failed, failed: failed)
    try file.write(Array((try JSONLines.line(end) + "\n").utf8))
    try file.commit()
  }
}

/// Tells whether paths lie below a folder when links are followed.
private struct RealFolders {
  private let root: String
  private let realRoot: String?
  private var known: [String: Bool] = [:]

  init(root: String) {
    self.root = root
    realRoot = try? SystemCalls.realPath(of: root)
  }

  mutating func holds(_ path: String) throws -> Bool {
    let folder = PathText.parent(of: PathText.join(root, path)) ?? "/"
    if let answer = known[folder] { return answer }
    var answer = true
    // What isn't there is found missing later.
    if let real = try? SystemCalls.realPath(of: folder), let realRoot {
      answer = real == realRoot || realRoot == "/" || real.hasPrefix(realRoot + "/")
    }
    known[folder] = answer
    return answer
  }
}
