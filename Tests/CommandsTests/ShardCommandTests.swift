import Foundation
import LatentFiles
import Pipelines
import TestSupport
import Testing

@Suite struct ShardCommandTests {
  let work: Workspace

  init() throws {
    work = try Workspace()
    for number in 0..<20 {
      try work.add("in/\(number % 3)/\(number).png", samplePicture(9, 7, seed: UInt64(number)))
    }
    try work.write(Array("no picture".utf8), to: "in/0/bad.png")
    let run = try work.lvae("encode", "in", "-o", "whole", "--model", "kl")
    #expect(run.status == 1)
  }

  /// The files of results, without the manifests.
  private func results(_ folder: String) -> [String] {
    work.files(folder).filter { !$0.hasPrefix(".lvae") }
  }

  private func expectEqualToWhole(_ folder: String) throws {
    #expect(results(folder) == results("whole"))
    for file in results("whole") {
      #expect(try work.bytes("\(folder)/\(file)") == work.bytes("whole/\(file)"), "\(file)")
    }
  }

  private func shard(_ argument: String, _ more: String...) throws -> Run {
    try work.start(
      ["encode", "in", "-o", "L", "--model", "kl", "--shard", argument] + more
    ).result()
  }

  @Test func shardsTogetherGiveWhatOneProcessGives() throws {
    let statuses = try (0..<4).map { try shard("\($0)/4").status }
    // One of them has the bad picture.
    #expect(statuses.sorted() == [0, 0, 0, 1])
    try expectEqualToWhole("L")
    let merged = try work.lvae("merge", "L", "--inputs", "in", "--json")
    #expect(merged.status == 1)
    #expect(merged.records.first?["input"] as? String == "0/bad.png")
    let counts = try #require(merged.records.last?["merged"] as? [String: Any])
    #expect(counts["inputs"] as? Int == 21 && counts["done"] as? Int == 20)
    #expect(counts["is_complete"] as? Bool == true)
    #expect(work.exists("L/.lvae/manifest.jsonl"))
  }

  @Test func failuresAreTriedAgain() throws {
    for index in 0..<3 { _ = try shard("\(index)/3") }
    try work.add("in/0/bad.png", samplePicture(5, 5))
    try work.add("in/new.png", samplePicture(6, 6))
    try FileManager.default.removeItem(at: work.url("L/1/4.latent"))
    let before = try work.lvae("merge", "L", "--inputs", "in")
    #expect(before.status == 1)
    for text in ["0/bad.png: ", "1/4.png: its output L/1/4.latent is gone", "new.png: no shard"] {
      #expect(before.output.contains(text), "\(before.output)")
    }
    #expect(try work.lvae("merge", "L", "--retry").status == 2)
    let run = try work.lvae("merge", "L", "--inputs", "in", "--retry", "--model", "kl")
    #expect(run.status == 0, "\(run.errors)\(run.output)")
    #expect(run.errors.contains("3/3 100%"))
    #expect(run.output.contains("3 of 3 shards are finished: 22 inputs, 22 done, 0 failed"))
    #expect(try work.latent("L/new.latent").metadata.model.name == "kl")
    #expect(try work.lvae("merge", "L", "--inputs", "in").status == 0)
  }

  @Test func shardsThatDoNotFitTogetherAreRefused() throws {
    _ = try shard("0/4")
    let other = try shard("1/5")
    #expect(other.status == 3)
    #expect(other.errors.contains("the number of shards 4, and this run has 5"), "\(other.errors)")
    let model = try work.lvae("encode", "in", "-o", "L", "--model", "taesd", "--shard", "1/4")
    #expect(model.status == 3 && model.errors.contains("the model"), "\(model.errors)")
    #expect(try shard("1/4", "--storage", "f16").errors.contains("--storage"))
    #expect(try work.lvae("merge", "L", "--model", "taesd").status == 3)
    for argument in ["4/4", "1", "-1/4", "x/4", "0/0", "auto/0"] {
      #expect(try shard(argument).status == 2, "\(argument)")
    }
    // Two inputs and no folder for both.
    let run = try work.lvae("encode", "in/0", "in/1", "--model", "kl", "--shard", "0/2")
    #expect(run.status == 2 && run.errors.contains("give it with -o"), "\(run.errors)")
    #expect(try work.lvae("merge", "nowhere").status == 3)
  }

  @Test func theEnvironmentTellsTheShardAndStandardErrorSaysSo() throws {
    let variables = "OMPI_COMM_WORLD_RANK=1 OMPI_COMM_WORLD_SIZE=2"
    let command = "$LVAE encode in -o L --model kl"
    let run = try work.bash("\(variables) \(command) --quiet")
    let notice =
      "lvae: shard 1/2 by OMPI_COMM_WORLD_RANK=1 of OMPI_COMM_WORLD_SIZE=2; --shard none takes all"
    #expect(run.errors.contains(notice), "\(run.errors)")
    #expect(work.exists("L/.lvae/manifest-1-of-2.jsonl"))
    #expect(try work.bash("\(variables) \(command) --shard none").errors.contains("of 21 in"))
    #expect(try work.bash("\(command) --shard auto").status == 2)
    let unknown = try work.bash("JOB_COMPLETION_INDEX=0 \(command)")
    #expect(unknown.status == 2 && unknown.errors.contains("--shard auto/N"), "\(unknown.errors)")
    _ = try work.bash("JOB_COMPLETION_INDEX=0 \(command) --shard auto/2")
    #expect(try work.lvae("merge", "L").output.contains("2 of 2 shards are finished"))
    try expectEqualToWhole("L")
  }

  @Test func processesThatClaimShareTheWork() throws {
    let runs = try (0..<3).map { _ in
      try work.start(["encode", "in", "-o", "L", "--model", "kl", "--claim", "--json"])
    }
    let results = try runs.map { try $0.result() }
    #expect(results.compactMap { $0.count("done") }.reduce(0, +) == 20)
    try expectEqualToWhole("L")
    let merged = try work.lvae("merge", "L", "--inputs", "in")
    #expect(merged.status == 1)
    #expect(merged.output.contains("21 inputs, 20 done, 1 failed"), "\(merged.output)")
    #expect(work.files("L/.lvae/claims") == [])
  }

  @Test func whatAKilledProcessClaimedIsTakenOver() throws {
    for number in 20..<60 {
      try work.add("in/\(number).png", samplePicture(64, 64, seed: UInt64(number)))
    }
    let first = try work.start(["encode", "in", "-o", "L", "--model", "kl", "--claim"])
    while work.files("L/.lvae/claims").isEmpty { usleep(1000) }
    kill(first.process.processIdentifier, SIGKILL)
    _ = try first.result()
    let run = try work.lvae("encode", "in", "-o", "L", "--model", "kl", "--claim")
    #expect(run.status <= 1, "\(run.errors)")
    let merged = try work.lvae("merge", "L", "--inputs", "in", "--json")
    let counts = try #require(merged.records.last?["merged"] as? [String: Any])
    #expect(counts["inputs"] as? Int == 61 && counts["done"] as? Int == 60)
    #expect(counts["is_complete"] as? Bool == true)
    #expect(results("L").allSatisfy { $0.hasSuffix(".latent") })
  }

  @Test func aShardThatWasStoppedIsNotFinished() throws {
    for number in 20..<400 {
      try work.add("in/\(number).png", samplePicture(64, 64, seed: UInt64(number)))
    }
    let run = try work.start(["encode", "in", "-o", "L", "--model", "kl", "--shard", "0/1"])
    while results("L").count < 5 { usleep(1000) }
    run.process.terminate()
    #expect(try run.result().status == 143)
    let merged = try work.lvae("merge", "L")
    #expect(merged.output.contains("haven't come to their end: 0"), "\(merged.output)")
    _ = try shard("0/1")
    #expect(try work.lvae("merge", "L").output.contains("401 inputs, 400 done, 1 failed"))
  }

  @Test func decodingIsSharedToo() throws {
    for index in 0..<2 {
      let run = try work.lvae(
        "decode", "whole", "-o", "R", "--model", "kl", "--shard", "\(index)/2")
      #expect(run.status == 0, "\(run.errors)")
    }
    #expect(results("R").count == 20)
    try FileManager.default.removeItem(at: work.url("R/1/4.png"))
    let run = try work.lvae(
      "merge", "R", "--inputs", "whole", "--retry", "--model", "kl", "--quiet")
    #expect(run.status == 0, "\(run.errors)\(run.output)")
    #expect(results("R").count == 20)
  }
}
