import Images
import LatentFiles
import Tensors
import TestSupport
import Testing

@Suite struct DecodeCommandTests {
  let work: Workspace

  init() throws {
    work = try Workspace()
    try work.add("in/x.png", samplePicture(20, 10, .rgba))
    try #require(try work.lvae("encode", "in", "-o", "L", "--model", "kl").status == 0)
  }

  private func decode(_ arguments: String...) throws -> Run {
    try work.start(["decode", "L"] + arguments + ["--model", "kl"]).result()
  }

  @Test(arguments: ["png", "jpg", "webp"])
  func picturesThatAreUpToDateAreLeft(_ format: String) throws {
    let arguments = ["decode", "L", "-o", "R", "--format", format, "--model", "kl", "--json"]
    #expect(try work.start(arguments).result().count("done") == 1)
    #expect(work.files("R") == ["x.\(format)"])
    #expect(try work.start(arguments).result().count("skipped") == 1)
    // Another latent: the picture is ours, and out of date.
    try work.add("in/x.png", samplePicture(20, 10, seed: 5))
    #expect(try work.lvae("encode", "in", "-o", "L", "--model", "kl").status == 0)
    #expect(try work.start(arguments).result().count("done") == 1)
    // A picture of somebody else is kept.
    try work.add("R/x.\(format)")
    let foreign = try work.bytes("R/x.\(format)")
    let run = try work.start(arguments).result()
    #expect(run.status == 3 && run.errors.contains("--force"))
    #expect(try work.bytes("R/x.\(format)") == foreign)
    #expect(try work.start(arguments + ["--force"]).result().status == 0)
  }

  @Test func theQualityCounts() throws {
    #expect(try decode("-o", "R", "--format", "jpg", "--quality", "30").status == 0)
    let small = try work.bytes("R/x.jpg").count
    #expect(try decode("-o", "R", "--format", "jpg", "--quality", "95").status == 0)
    #expect(try work.bytes("R/x.jpg").count > small)
    #expect(try decode("-o", "R", "--quality", "0").status == 2)
  }

  @Test(arguments: ["y.png", "y.jpg", "y.jpeg", "y.webp"])
  func theNameOfOneResultTellsItsFormat(_ name: String) throws {
    #expect(try decode("-o", name).status == 0)
    let picture = try work.image(name)
    #expect(picture.width == 20 && picture.height == 10)
    #expect(picture.channels.hasAlpha == !name.contains(".jp"))
  }

  @Test func aFormatThatContradictsTheNameIsRefused() throws {
    let run = try decode("-o", "y.png", "--format", "jpg")
    #expect(run.status == 2 && run.errors.contains("contradict"))
    #expect(!work.exists("y.png"))
  }

  @Test func aModelOfOtherWeightsIsRefused() throws {
    let run = try work.lvae("decode", "L", "-o", "R", "--model", "taesd")
    #expect(run.status == 3)
    let wanted = try work.latent("L/x.latent").metadata.model
    #expect(run.errors.contains("L/x.latent: it was made with the model \(wanted.name)"))
    #expect(run.errors.contains("weights \(wanted.sha256.prefix(12))…), and taesd has"))
    #expect(run.errors.contains("`lvae models add PATH`"))
    #expect(work.files("R").isEmpty)
  }

  @Test func withoutAModelTheStoreIsSearched() throws {
    let missing = try work.lvae("decode", "L", "-o", "R")
    #expect(missing.status == 3)
    #expect(missing.errors.contains("isn't among those of `lvae models list`"))
    #expect(try work.lvae("models", "add", "taesd").status == 0)
    #expect(try work.lvae("models", "add", "kl", "--name", "any-name").status == 0)
    let run = try work.lvae("decode", "L", "-o", "R")
    #expect(run.status == 0, "\(run.errors)")
    #expect(work.files("R") == ["x.png"])
  }
}

/// Files that are not what they should be: each is named, and none becomes a picture.
@Suite struct DamagedLatentTests {
  let work: Workspace
  let good: [UInt8]

  init() throws {
    work = try Workspace()
    try work.add("in/x.png", samplePicture(20, 10))
    try #require(try work.lvae("encode", "in", "-o", "L", "--model", "kl").status == 0)
    good = try work.bytes("L/x.latent")
  }

  /// Decodes files beside the good one, and expects all but that one to fail.
  private func expectRefused(_ files: [String: [UInt8]], _ message: String) throws {
    for (name, bytes) in files { try work.write(bytes, to: "L/\(name).latent") }
    for command in [["decode", "L", "-o", "R", "--model", "kl"], ["verify", "L"]] {
      let run = try work.start(command + ["--json"]).result()
      #expect(run.status == 1, "\(run.errors)")
      #expect(run.count("done") == 1 && run.count("inputs") == files.count + 1)
      let failed = run.records.filter { $0["status"] as? String == "failed" }
      #expect(
        failed.compactMap { $0["input"] as? String } == files.keys.sorted().map { "L/\($0).latent" }
      )
      #expect(
        failed.allSatisfy { ($0["error"] as? String)?.contains(message) == true }, "\(failed)")
    }
    #expect(work.files("R") == ["x.png"])
  }

  @Test func filesThatEndEarlyAreRefused() throws {
    var files: [String: [UInt8]] = [:]
    for kept in [9, good.count / 4, good.count / 2, good.count - 1] {
      files["cut\(kept)"] = Array(good.prefix(kept))
    }
    try expectRefused(files, "again")
  }

  @Test func aChangedBitIsFound() throws {
    var files: [String: [UInt8]] = [:]
    for position in stride(from: 8, to: good.count, by: good.count / 9) {
      files["bit\(position)"] = good
      files["bit\(position)"]?[position] ^= 0x10
    }
    try expectRefused(files, "")
  }

  @Test func otherFilesAreRefused() throws {
    try expectRefused(
      ["text": Array("not a latent".utf8), "png": work.bytes("in/x.png")],
      "this is not a .latent file; make one with lvae encode")
  }

  @Test(arguments: [
    ("\"shape\":[4,3,5]", "\"shape\":[4,1000000,1000000]"),
    ("\"shape\":[4,3,5]", "\"shape\":[4,4611686018427387904,4611686018427387904]"),
    ("\"shape\":[4,3,5]", "\"shape\":[4,-3,5]"),
    ("\"width\":20", "\"width\":9223372036854775807"),
    ("\"width\":20", "\"width\":1048576"),
    ("\"spatial_factor\":4", "\"spatial_factor\":0"),
    ("\"version\":1", "\"version\":2"),
  ])
  func aHeaderThatLiesIsRefused(_ part: String, _ replacement: String) throws {
    let json = try LatentFile.readHeader(decoding: good).json
    try #require(json.contains(part), "\(json)")
    let old = json.utf8.count + 20
    let text = Array(json.replacing(part, with: replacement).utf8)
    var header = Array(good[..<4]) + littleEndian(UInt32(text.count + 12)) + Array(good[8..<16])
    header += text
    header += littleEndian(CRC32.checksum(header.span))
    try expectRefused(["hostile": header + good[old...]], "")
  }

  private func littleEndian(_ value: UInt32) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
}
