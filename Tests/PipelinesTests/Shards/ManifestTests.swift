import Foundation
import Pipelines
import TestSupport
import Testing

@Suite struct ManifestTests {
  let folder: TemporaryFolder
  let manifests: ManifestFolder

  init() throws {
    folder = try TemporaryFolder()
    manifests = ManifestFolder(results: folder.path)
  }

  private static let paths = (0..<40).map { "in/\($0).png" }

  private func head(
    _ shard: Shard, model: String = "a", settings: [String: String] = ["storage": "int8"]
  ) -> ManifestHead {
    ManifestHead(
      command: "encode", shard: shard, model: .init(name: "m", sha256: model),
      settings: settings, paths: Self.paths)
  }

  private func shard(_ index: Int, _ count: Int) throws -> Shard {
    try #require(Shard(index: index, count: count))
  }

  /// A manifest in which every third input failed, and the others have outputs.
  private func write(_ shard: Shard, isComplete: Bool = true) throws {
    let writer = try ManifestWriter(head(shard), of: shard, in: manifests)
    for (number, path) in Self.paths.enumerated() where shard.contains(path) {
      var record = ManifestRecord(path: path, sha256: "s\(number)", status: .done)
      if number % 3 == 0 {
        (record.status, record.error) = (.failed, "it is \"bad\"\n")
      } else {
        let output = "\(number).png"
        try folder.write(output, "bytes")
        record.setOutput(folder(output), in: folder.path)
      }
      writer.add(record)
    }
    try writer.finish(isComplete: isComplete)
  }

  @Test func shardsTogetherCoverAllInputs() throws {
    for index in 0..<4 { try write(shard(index, 4)) }
    let coverage = try Coverage(of: manifests)
    #expect(coverage.isComplete)
    #expect(coverage.records.count == 40 && coverage.doneCount == 26)
    #expect(coverage.failures.count == 14)
    #expect(coverage.failures.allSatisfy { $0.reason == "it is \"bad\"\n" })
    try coverage.writeMerged()
    let merged = try folder.text(".lvae/manifest.jsonl").split(separator: "\n")
    #expect(merged.count == 42)
    #expect(merged.last == "{\"done\":26,\"failed\":14}")
  }

  @Test func missingAndUnfinishedShardsAreNamed() throws {
    try write(shard(0, 4))
    try write(shard(2, 4), isComplete: false)
    let coverage = try Coverage(of: manifests)
    #expect(!coverage.isComplete)
    #expect(coverage.missingShards == [1, 3])
    #expect(coverage.unfinishedShards == [2])
    #expect(try manifests.isFinished(shard(0, 4), as: head(shard(1, 4))))
    #expect(try !manifests.isFinished(shard(2, 4), as: head(shard(1, 4))))
    #expect(try !manifests.isFinished(shard(0, 4), as: head(shard(1, 4), model: "b")))
  }

  @Test func aRunThatIsAtWorkHasAManifestWithoutEnd() throws {
    let writer = try ManifestWriter(head(shard(0, 1)), of: shard(0, 1), in: manifests)
    #expect(try Coverage(of: manifests).unfinishedShards == [0])
    try writer.finish(isComplete: true)
    #expect(try Coverage(of: manifests).unfinishedShards == [])
  }

  @Test func outputsThatChangedOrWentAreDamaged() throws {
    for index in 0..<2 { try write(shard(index, 2)) }
    try folder.write("1.png", "other bytes")
    try FileManager.default.removeItem(atPath: folder("2.png"))
    let coverage = try Coverage(of: manifests)
    #expect(Set(coverage.damaged.keys) == ["in/1.png", "in/2.png"])
    #expect(!coverage.isComplete)
  }

  // MARK: Refusals

  @Test func manifestsOfOtherRunsAreRefused() throws {
    try write(shard(0, 4))
    #expect(throws: ManifestError.self) {
      try ManifestWriter(head(shard(1, 5)), of: shard(1, 5), in: manifests)
    }
    #expect(throws: ManifestError.self) {
      try ManifestWriter(head(shard(1, 4), model: "b"), of: shard(1, 4), in: manifests)
    }
    #expect(throws: ManifestError.self) {
      try ManifestWriter(
        head(shard(0, 4), settings: ["storage": "f16"]), of: shard(0, 4), in: manifests)
    }
    // The one that was there is as it was.
    #expect(try manifests.isFinished(shard(0, 4), as: head(shard(0, 4))))
    #expect(try manifests.shards() == [shard(0, 4)])
    // Forced, it goes.
    _ = try ManifestWriter(head(shard(1, 5)), of: shard(1, 5), in: manifests, others: .removed)
    #expect(try manifests.shards() == [shard(1, 5)])
  }

  /// A manifest of one shard of one with one more line.
  private func refusal(of line: String) throws -> String {
    try write(shard(0, 1))
    var lines = try folder.text(".lvae/manifest-0-of-1.jsonl").split(separator: "\n").map(
      String.init)
    lines.insert(line, at: 1)
    try folder.write(".lvae/manifest-0-of-1.jsonl", lines.joined(separator: "\n") + "\n")
    do {
      _ = try Coverage(of: manifests)
    } catch {
      return "\(error)"
    }
    return ""
  }

  @Test(arguments: ["../x.png", "/etc/passwd", "a/../../x.png", ""])
  func pathsThatLeadOutAreRefused(_ path: String) throws {
    #expect(
      try refusal(of: "{\"path\":\"\(path)\",\"status\":\"failed\"}").contains("leads out of"))
    #expect(
      try refusal(
        of: "{\"path\":\"x.png\",\"output\":\"\(path)\",\"bytes\":1,\"status\":\"done\"}"
      ).contains("leads out of"))
  }

  @Test func outputsBehindLinksAreRefused() throws {
    let other = try TemporaryFolder()
    try other.write("x.png", "bytes")
    try folder.link("link", to: other.path)
    #expect(
      try refusal(
        of: "{\"path\":\"x.png\",\"output\":\"link/x.png\",\"bytes\":5,\"status\":\"done\"}"
      ).contains("leads out of"))
  }

  @Test(arguments: [
    ("{\"path\":\"in/1.png\",\"status\":\"failed\"}", "twice"),
    ("{\"path\":\"x.png\",\"status\":\"done\"}", "names no output"),
    ("{\"path\":\"x.png\",\"status\":\"odd\"}", "no line of a manifest"),
    ("nonsense", "no line of a manifest"), ("{\"done\":1,\"failed\":1}", "behind the last line"),
  ])
  func linesThatAManifestCannotHaveAreRefused(_ line: String, _ reason: String) throws {
    #expect(try refusal(of: line).contains(reason))
  }

  @Test func aRenamedManifestIsRefused() throws {
    try write(shard(0, 2))
    try FileManager.default.moveItem(
      atPath: folder(".lvae/manifest-0-of-2.jsonl"), toPath: folder(".lvae/manifest-1-of-2.jsonl"))
    #expect(throws: ManifestError.self) { try Coverage(of: manifests) }
    var text = try folder.text(".lvae/manifest-1-of-2.jsonl")
    text = text.replacing("\"shard\":0", with: "\"shard\":1")
    try folder.write(".lvae/manifest-1-of-2.jsonl", text)
    // Its inputs don't belong there.
    #expect(throws: ManifestError.self) { try Coverage(of: manifests) }
  }

  @Test func everyBeginningOfAManifestIsReadOrRefused() throws {
    try write(shard(0, 1))
    let text = Array(try folder.text(".lvae/manifest-0-of-1.jsonl").utf8)
    for length in stride(from: 0, to: text.count, by: 7) {
      try Data(text[..<length]).write(to: URL(filePath: folder(".lvae/manifest-0-of-1.jsonl")))
      if let coverage = try? Coverage(of: manifests) { #expect(!coverage.isComplete) }
    }
  }
}
