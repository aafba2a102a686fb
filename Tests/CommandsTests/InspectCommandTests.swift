import Images
import TestSupport
import Testing

@Suite struct InspectCommandTests {
  let work: Workspace

  init() throws {
    work = try Workspace()
    try work.add("in/x.png", samplePicture(20, 10, .greyAlpha))
    try #require(try work.lvae("encode", "in", "-o", "L", "--model", "kl").status == 0)
  }

  @Test func theHeaderIsShown() throws {
    let run = try work.lvae("inspect", "L")
    #expect(run.status == 0 && run.errors.isEmpty)
    #expect(run.output.hasPrefix("L/x.latent\n"))
    for line in [
      "model           kl (AutoencoderKL)", "latent          4×3×5, mean, factor 4",
      "picture         20×10, grey, from png, with 8 bits of opacity", "written by      lvae 0.1.0",
    ] {
      #expect(run.output.contains("\n  \(line)\n"), "\(run.output)")
    }
  }

  @Test func asJSONEachFileIsALine() throws {
    try work.write(Array("no".utf8), to: "L/y.latent")
    let run = try work.lvae("inspect", "L", "--json")
    #expect(run.status == 1)
    #expect(run.records.map { $0["input"] as? String } == ["L/x.latent", "L/y.latent"])
    let header = try #require(run.records[0]["header"] as? [String: Any])
    #expect(header["version"] as? Int == 1)
    #expect(run.records[1]["status"] as? String == "failed" && run.records[1]["error"] is String)
    #expect(run.errors == "L/y.latent: this is not a .latent file; make one with lvae encode\n")
    #expect(try work.lvae("inspect", "L/y.latent").status == 3)
  }

  @Test func membersOfTarsAreShown() throws {
    let latent = try work.bytes("L/x.latent")
    var tar = TarWriter()
    tar.add("a/x.latent", latent)
    tar.add("a/x.txt", Array("a caption".utf8))
    tar.add("a/y.latent", Array("no".utf8))
    try work.write(tar.finished, to: "T/s.tar")
    let run = try work.lvae("inspect", "T")
    #expect(run.status == 1)
    #expect(
      run.errors == "T/s.tar: a/y.latent: this is not a .latent file; make one with lvae encode\n")
    // All but the name is as of the file by itself.
    let lines = try work.lvae("inspect", "L/x.latent").output.split(separator: "\n").dropFirst()
    #expect(run.output == (["T/s.tar: a/x.latent"] + lines).joined(separator: "\n") + "\n")
    let records = try work.lvae("inspect", "T/s.tar", "--json").records
    #expect(records.map { $0["input"] as? String } == ["T/s.tar", "T/s.tar"])
    #expect(records.map { $0["member"] as? String } == ["a/x.latent", "a/y.latent"])
    #expect(records[0]["header"] is [String: Any] && records[1]["error"] is String)
  }

  @Test func itAnswersAtOnce() throws {
    // A quarter of a second on a busy machine; 20 ms on an idle one.
    let times = try (0..<5).map { _ in
      let start = ContinuousClock.now
      _ = try work.lvae("inspect", "L/x.latent")
      return ContinuousClock.now - start
    }
    #expect(try #require(times.min()) < .milliseconds(250))
  }
}
