import TestSupport
import Testing

@Suite struct VerifyCommandTests {
  let work: Workspace

  init() throws {
    work = try Workspace()
    try work.add("in/sub/x.png", samplePicture(20, 10))
    try work.add("in/sub/x.jpg", samplePicture(8, 8))
    try #require(try work.lvae("encode", "in", "-o", "L", "--model", "kl").status == 0)
  }

  @Test func wholeFilesPassWithoutAModel() throws {
    let run = try work.lvae("verify", "L")
    #expect(run.status == 0 && run.output.isEmpty)
    #expect(run.errors.contains("2 verified of 2 in"))
  }

  @Test func withTheSourceTheQualityIsShown() throws {
    let run = try work.lvae("verify", "L", "--source", "in", "--model", "kl")
    #expect(run.status == 0, "\(run.errors)")
    let lines = run.output.split(separator: "\n")
    #expect(lines.count == 2)
    #expect(lines.first?.hasSuffix(" dB  L/sub/x.jpg.latent") == true, "\(run.output)")
    let records = try work.lvae("verify", "L", "--source", "in", "--model", "kl", "--json").records
    #expect(records.dropLast().allSatisfy { $0["psnr"] is Double })
    let strict = try work.lvae(
      "verify", "L", "--source", "in", "--model", "kl", "--min-psnr", "60")
    #expect(strict.status == 3 && strict.errors.contains("dB, less than 60.00"))
  }

  @Test func anotherPictureIsNoticed() throws {
    try work.add("in/sub/x.png", samplePicture(20, 10, seed: 9))
    let run = try work.lvae("verify", "L", "--source", "in", "--model", "kl")
    #expect(run.status == 1)
    #expect(run.errors.contains("in/sub/x.png is not the picture that was encoded"))
    let missing = try work.lvae("verify", "L", "--source", "in/sub", "--model", "kl")
    #expect(missing.status == 3 && missing.errors.contains("there is no picture sub/x"))
  }
}
