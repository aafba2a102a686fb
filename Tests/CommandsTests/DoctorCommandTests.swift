import Images
import Pipelines
import TestSupport
import Testing

@Suite struct DoctorCommandTests {
  let work: Workspace

  init() throws { work = try Workspace() }

  private func levels(_ run: Run) -> [String: String] {
    var levels: [String: String] = [:]
    for record in run.records {
      if let check = record["check"] as? String { levels[check] = record["level"] as? String }
    }
    return levels
  }

  @Test func anEmbeddedModelIsHealthy() throws {
    let run = try work.lvae("doctor", "emoji")
    #expect(run.status == 0 && run.errors.hasSuffix("0 warnings, 0 wrong\n"), "\(run.errors)")
    let lines = run.output.split(separator: "\n")
    #expect(lines.count == 8 && lines.allSatisfy { $0.hasPrefix("✓ ") }, "\(run.output)")
    let quiet = try work.lvae("doctor", "emoji", "-q")
    #expect(quiet.status == 0 && quiet.output.isEmpty && quiet.errors.isEmpty)
  }

  @Test func warningsAreNoFailure() throws {
    try work.add("in/x.png", samplePicture(64, 48, .rgba))
    try work.add("in/x.jpg", samplePicture(65, 48))
    let run = try work.lvae("doctor", "photo", "in", "--json")
    #expect(run.status == 0, "\(run.errors)")
    let levels = levels(run)
    #expect(levels["files"] == "fine" && levels["space"] == "fine")
    #expect(levels["opacity"] == "warning" && levels["names"] == "warning")
    #expect(levels["size"] == "warning")
    let summary = try #require(run.records.last?["summary"] as? [String: Int])
    #expect(summary["wrong"] == 0 && summary["warnings", default: 0] >= 3)
  }

  @Test func aFileThatCannotBeReadIsWrong() throws {
    try work.add("in/x.png", samplePicture(64, 48))
    try work.write(Array("no picture".utf8), to: "in/y.jpg")
    let run = try work.lvae("doctor", "photo", "in")
    #expect(run.status == 1)
    #expect(
      run.output.contains("✗ files         1 of 2 can't be read: in/y.jpg: the file is neither"))
  }

  @Test func aBrokenModelIsWrong() throws {
    try brokenAutoencoderKL().save(to: work.url("broken"))
    let run = try work.lvae("doctor", "broken", "--json")
    #expect(run.status == 1)
    #expect(levels(run)["weights"] == "wrong" && levels(run)["output"] == "wrong")
  }

  @Test func whereNothingCanBeCheckedTheStatusIs3() throws {
    try work.write([], to: "empty/note.txt")
    let empty = try work.lvae("doctor", "photo", "empty")
    #expect(empty.status == 3 && empty.errors.contains("no files found in empty"))
    try work.write([1, 2], to: "bad/x.png")
    let bad = try work.lvae("doctor", "photo", "bad")
    #expect(bad.status == 3 && bad.errors.contains("no picture in bad can be read"))
    #expect(bad.errors.contains("bad/x.png"))
    #expect(try work.lvae("doctor", "nosuch").status == 3)
    #expect(try work.lvae("doctor").status == 2)
    #expect(try work.lvae("doctor", "photo", "--pictures", "0").status == 2)
  }
}
