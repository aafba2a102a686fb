import Foundation
import Images
import LatentFiles
import Pipelines
import TestSupport
import Testing

@Suite struct DiffuseSampleCommandTests {
  let work: Workspace

  init() throws {
    work = try Workspace()
    try tinyDiffusionModel().save(to: work.url("m"))
  }

  private func draw(_ arguments: String...) throws -> Run {
    try work.start(["diffuse-sample", "--model", "m", "--steps", "3"] + arguments).result()
  }

  @Test func picturesDoNotDependOnTheirNumberOrThreads() throws {
    let one = try draw("-n", "2", "-o", "A", "--threads", "1", "--seed", "5", "--json")
    #expect(one.status == 0, "\(one.errors)")
    #expect(work.files("A") == ["0000.png", "0001.png"])
    #expect(one.records.map { $0["class"] as? String } == ["cat", "dog"])
    #expect(one.records.map { $0["file"] as? String } == ["A/0000.png", "A/0001.png"])
    #expect(try draw("-n", "5", "-o", "B", "--threads", "4", "--seed", "5").status == 0)
    #expect(try draw("-n", "1", "--first", "4", "-o", "C", "--seed", "5").status == 0)
    let last = try work.image("B/0004.png")
    #expect(last.width == 32 && last.height == 24)
    #expect(try work.image("C/0004.png").samples == last.samples)
    for name in work.files("A") {
      #expect(try work.image("A/\(name)").samples == work.image("B/\(name)").samples)
    }
    // A grid has a column for each class.
    #expect(try draw("-n", "5", "--seed", "5", "-o", "g.png").status == 0)
    let grid = try work.image("g.png")
    #expect(grid.width == 2 * 34 + 2 && grid.height == 3 * 26 + 2)
    #expect(grid.cropped(x: 2, y: 54, width: 32, height: 24).samples == last.samples)
  }

  @Test func classesComeInTheirShares() throws {
    func classes(_ more: String...) throws -> [String?] {
      let run = try work.start(
        ["diffuse-sample", "--model", "m", "--steps", "1", "-o", "A", "--json"] + more
      ).result()
      #expect(run.status == 0, "\(run.errors)")
      return run.records.map { $0["class"] as? String }
    }
    let drawn = try classes("-n", "10", "--class", "cat:6, dog:2")
    #expect(drawn.count { $0 == "cat" } == 8 && drawn.count { $0 == "dog" } == 2)
    // Each comes as soon as its share allows, and picture k has its class whatever -n and --first.
    #expect(drawn.prefix(4).contains("dog"))
    #expect(
      try classes("-n", "3", "--first", "5", "--class", "cat:3,dog", "--force")
        == Array(drawn[5..<8]))
    let json = try work.lvae("inspect", "A/0005.png", "--json")
    let settings = try #require(json.records.first?["settings"] as? [String: Any])
    #expect(settings["class"] as? String == drawn[5])
    #expect(try classes("-n", "2", "--class", "dog:5", "--force") == ["dog", "dog"])
  }

  @Test func filesLieInFoldersOfTheirClasses() throws {
    let run = try draw("-n", "3", "-o", "A", "--class-folders", "--save-latents", "L", "--json")
    #expect(run.status == 0, "\(run.errors)")
    #expect(
      run.records.map { $0["file"] as? String } == [
        "A/cat/0000.png", "A/dog/0001.png", "A/cat/0002.png",
      ])
    #expect(work.files("A/cat") == ["0000.png", "0002.png"])
    #expect(work.files("L/dog") == ["0001.latent"])
    #expect(try draw("-n", "3", "-o", "B").status == 0)
    #expect(try work.bytes("A/dog/0001.png") != work.bytes("B/0001.png"))
    #expect(try work.image("A/dog/0001.png").samples == work.image("B/0001.png").samples)
    let json = try work.lvae("inspect", "A/dog/0001.png", "--json")
    let settings = try #require(json.records.first?["settings"] as? [String: Any])
    let command = try #require(settings["command"] as? String)
    let before = try work.bytes("A/dog/0001.png")
    try FileManager.default.removeItem(at: work.url("A"))
    #expect(try work.bash("\"$LVAE\"" + command.dropFirst("lvae".count)).status == 0)
    #expect(try work.bytes("A/dog/0001.png") == before)
    try tinyDiffusionModel(classNames: ["a/b", ".."]).save(to: work.url("odd"))
    let refused = try work.lvae("diffuse-sample", "--model", "odd", "-o", "C", "--class-folders")
    #expect(refused.status == 3 && refused.errors.contains("a/b"), "\(refused.errors)")
    let grid = try draw("-o", "g.png", "--class-folders")
    #expect(grid.status == 2 && grid.errors.contains("--class-folders"), "\(grid.errors)")
  }

  @Test func thePictureTellsTheCommandThatMakesItAgain() throws {
    let run = try draw(
      "-n", "4", "--class", "dog, 0", "--guidance", "1.5", "--scheduler", "euler-a", "-o", "A",
      "--size", "40x16", "--rng", "torch", "--guidance-interval", "0.25", "4")
    #expect(run.status == 0, "\(run.errors)")
    let before = try work.bytes("A/0003.png")
    let told = try work.lvae("inspect", "A/0003.png")
    #expect(told.status == 0, "\(told.errors)")
    // Columns are as wide as the longest key.
    let lines = told.output.split(separator: "\n").map { $0.split(separator: " ") }
    for line in [
      ["class", "cat"], ["scheduler", "euler-a"], ["guidance", "1.5"], ["size", "40x16"],
      ["guidance_interval", "0.25,", "4"],
    ] {
      #expect(lines.contains { $0.elementsEqual(line) { $0 == $1 } }, "\(told.output)")
    }
    let json = try work.lvae("inspect", "A/0003.png", "--json")
    let settings = try #require(json.records.first?["settings"] as? [String: Any])
    #expect(settings["picture"] as? Int == 3 && settings["rng"] as? String == "torch")
    let command = try #require(settings["command"] as? String)
    try FileManager.default.removeItem(at: work.url("A"))
    #expect(try work.bash("\"$LVAE\"" + command.dropFirst("lvae".count)).status == 0)
    #expect(try work.bytes("A/0003.png") == before)
    try work.add("other.png")
    #expect(try work.lvae("inspect", "other.png").status == 3)
  }

  @Test func latentsThatAreKeptGiveThePictureAgain() throws {
    #expect(try draw("-n", "2", "-o", "A", "--save-latents", "L").status == 0)
    #expect(try work.lvae("decode", "L", "-o", "D", "--model", "m/vae").status == 0)
    #expect(try work.image("D/0001.png").samples == work.image("A/0001.png").samples)
    try work.write([1, 2, 3], to: "L/0000.latent")
    let refused = try draw("-n", "1", "-o", "A", "--save-latents", "L")
    #expect(refused.status == 3 && refused.errors.contains("L/0000.latent"))
  }

  @Test func aPictureIsChangedWhereTheMaskIsWhite() throws {
    try work.add("in.png", samplePicture(32, 24))
    let isNew = (0..<32 * 24).map { $0 % 32 < 12 ? UInt8(255) : 0 }
    try work.add(
      "mask.png", Image(width: 32, height: 24, channels: .grey, samples: .eightBit(isNew)))
    let run = try draw("--init", "in.png", "--mask", "mask.png", "-n", "1", "-o", "A")
    #expect(run.status == 0, "\(run.errors)")
    let (old, new) = try (work.image("in.png"), work.image("A/0000.png"))
    func part(_ image: Image, _ x: Int, _ width: Int) -> Image.Samples {
      image.cropped(x: x, y: 0, width: width, height: 24).samples
    }
    #expect(part(old, 12, 20) == part(new, 12, 20) && part(old, 0, 12) != part(new, 0, 12))
    // Another size is said.
    try work.add("large.png", samplePicture(100, 50))
    let resized = try draw("--init", "large.png", "--mask", "mask.png", "-n", "1", "-o", "B")
    #expect(resized.status == 0)
    #expect(resized.errors.contains("large.png has 100×50 pixels; its middle is resized to 32×24"))
  }

  @Test func aWayBetweenSeedsBeginsAndEndsWithTheirPictures() throws {
    #expect(try draw("--interpolate", "3", "9", "-n", "3", "-o", "I", "--class", "dog").status == 0)
    for (name, seed) in [("0000.png", "3"), ("0002.png", "9")] {
      let run = try draw("--seed", seed, "-n", "1", "-o", "S\(seed)", "--class", "dog")
      #expect(run.status == 0)
      #expect(try work.image("I/\(name)").samples == work.image("S\(seed)/0000.png").samples)
    }
  }

  @Test func aStripShowsSteps() throws {
    #expect(try draw("-n", "2", "--progress-strip", "-o", "s.png").status == 0)
    let strip = try work.image("s.png")
    #expect(strip.width == 4 * 34 + 2 + 4 && strip.height == 2 * (28 + 2) + 2)
  }

  @Test func whatCannotBeDoneIsSaidBeforeAnyWork() throws {
    try work.write([1, 2], to: "broken.png")
    for (arguments, status, message) in [
      (["--class", "cow"], 2, "no class cow; choose one of cat, dog"),
      (["--class", "cow:2"], 2, "no class cow; choose one of cat, dog"),
      (["--class", "cat:0"], 2, "cat:0: behind the colon a whole number from 1"),
      (["--class", "cat:70000,dog:70001"], 2, "add up to 140001"),
      (["--size", "30x24"], 2, "multiples of 8"),
      (["--size", "28x24"], 2, "multiples of 8"), (["--steps", "0"], 2, "--steps 0"),
      (["--steps", "2000"], 2, "2000 steps"), (["--scheduler", "flow-euler"], 2, "flow"),
      (["--init", "broken.png"], 3, "broken.png"), (["--mask", "broken.png"], 2, "--init"),
      (["--guidance-interval", "3", "1"], 2, "the lower first"),
      (["--guidance-interval", "1", "inf"], 2, "the lower first"),
      (["--interpolate", "1"], 2, "two seeds"), (["--model", "nothing"], 3, "nothing"),
      (["--strength", "2", "--init", "x"], 2, "--strength"), (["-n", "0"], 2, "-n 0"),
    ] as [([String], Int32, String)] {
      let run = try work.start(["diffuse-sample", "--model", "m"] + arguments).result()
      #expect(run.status == status && run.errors.contains(message), "\(arguments): \(run.errors)")
      #expect(!work.exists("samples.png"))
    }
  }

  @Test func picturesOfOthersAreKept() throws {
    try work.add("samples.png")
    let foreign = try work.bytes("samples.png")
    let run = try draw("-n", "1")
    #expect(run.status == 3 && run.errors.contains("--force"))
    #expect(try work.bytes("samples.png") == foreign)
    #expect(try draw("-n", "1", "--force").status == 0 && draw("-n", "2").status == 0)
  }

  @Test func anInterruptEndsBetweenSteps() throws {
    let (process, result) = try work.start([
      "diffuse-sample", "--model", "m", "--steps", "999", "-n", "100000", "-o", "g",
    ])
    let end = ContinuousClock.now + .seconds(30)
    while !work.exists("g/0000.png"), ContinuousClock.now < end { usleep(20_000) }
    process.interrupt()
    let run = try result()
    #expect(run.status == 130 && run.errors.contains("stopped after"))
    #expect(!work.files("g").contains { $0.hasSuffix(".tmp") })
  }
}
