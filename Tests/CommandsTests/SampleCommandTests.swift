import Images
import TestSupport
import Testing

@Suite struct SampleCommandTests {
  let work: Workspace

  init() throws { work = try Workspace() }

  @Test func picturesDoNotDependOnTheirNumberOrThreads() throws {
    let options = ["--model", "kl", "--size", "20x12", "--seed", "5"]
    let one = try work.start(["sample", "-n", "2", "-o", "A", "--threads", "1"] + options).result()
    #expect(one.status == 0, "\(one.errors)")
    #expect(work.files("A") == ["sample-000000.png", "sample-000001.png"])
    let many = try work.start(["sample", "-n", "5", "-o", "B", "--threads", "4"] + options).result()
    #expect(many.status == 0 && work.files("B").count == 5)
    for name in work.files("A") {
      #expect(try work.bytes("A/\(name)") == work.bytes("B/\(name)"))
    }
    let last = try work.image("B/sample-000004.png")
    #expect(last.width == 20 && last.height == 12)
    // The same ones stand in a grid, 2 pixels apart.
    #expect(try work.start(["sample", "-n", "5", "-o", "g.png"] + options).result().status == 0)
    let grid = try work.image("g.png")
    #expect(grid.width == 3 * 22 + 2 && grid.height == 2 * 14 + 2)
    let tile = grid.cropped(x: 24, y: 16, width: 20, height: 12)
    #expect(tile.samples == last.samples)
  }

  @Test func aPictureSaysWhatMadeIt() throws {
    let run = try work.lvae(
      "sample", "-n", "1", "-o", "x.png", "--model", "kl", "--seed", "3", "--size", "8x8", "--json")
    #expect(run.status == 0 && run.records.first?["seed"] as? Int == 3)
    #expect(run.records.first?["prior"] as? String == "the prior")
    let note = try #require(Image.note(in: work.bytes("x.png")))
    #expect(
      note.hasPrefix("made by lvae sample: 1 picture of 8x8, seed 3, temperature 1.0, model kl"))
  }

  @Test func aModelWithoutAPriorSaysSo() throws {
    let fitted = try work.lvae("sample", "-n", "1", "--model", "taesd", "--size", "8x8")
    #expect(fitted.status == 0)
    #expect(
      fitted.errors.contains("has no prior; a normal distribution fitted to the latents of 6"))
    let recorded = try work.lvae("sample", "-n", "1", "--size", "8x8")
    #expect(recorded.errors.contains("with its recorded latents_mean and latents_std"))
    let quiet = try work.lvae("sample", "-n", "1", "--size", "8x8", "--quiet")
    #expect(quiet.status == 0 && quiet.errors.isEmpty && quiet.output.isEmpty)
  }

  @Test func picturesOfOthersAreKept() throws {
    try work.add("samples.png")
    let foreign = try work.bytes("samples.png")
    let run = try work.lvae("sample", "--model", "kl", "-n", "1", "--size", "8x8")
    #expect(run.status == 3 && run.errors.contains("--force"))
    #expect(try work.bytes("samples.png") == foreign)
    for _ in 0..<2 {
      #expect(
        try work.lvae("sample", "--model", "kl", "-n", "1", "--size", "8x8", "--force").status == 0)
    }
    #expect(try work.lvae("sample", "--model", "kl", "-n", "2", "--size", "8x8").status == 0)
  }

  @Test(arguments: [
    (["--size", "0x8"], "must be at least 1"), (["--size", "8x-1"], "must be at least 1"),
    (["--size", "8"], "8"), (["-n", "0"], "-n 0"), (["--temperature", "nan"], "--temperature"),
    (["--size", "999999x999999"], "at most 268435456 pixels"),
    (["-n", "100000", "--size", "1000x1000"], "too many for one grid"),
  ])
  func argumentsThatMakeNoSenseAreRefused(_ arguments: [String], _ message: String) throws {
    let run = try work.start(["sample"] + arguments).result()
    #expect(run.status == 2 && run.errors.contains(message), "\(run.errors)")
    #expect(!work.exists("samples.png"))
  }
}
