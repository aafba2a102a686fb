import Images
import LatentFiles
import Models
import Pipelines
import Tensors
import TestSupport
import Testing

@Suite struct EncodeCommandTests {
  let work: Workspace

  init() throws { work = try Workspace() }

  private func encode(_ arguments: String...) throws -> Run {
    try work.start(["encode"] + arguments + ["--model", "kl"]).result()
  }

  @Test func aFolderIsMirroredAndComesBack() throws {
    try work.add("in/a.png", samplePicture(9, 7))
    try work.add("in/one/b.jpg", samplePicture(16, 16))
    try work.add("in/one/two/c d.webp", samplePicture(33, 5))
    try work.write([1], to: "in/notes.txt")
    let run = try encode("in", "-o", "L")
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.errors.contains("3 encoded of 3 in"))
    #expect(work.files("L") == ["a.latent", "one/b.latent", "one/two/c d.latent"])
    let back = try work.lvae("decode", "L", "-o", "R", "--model", "kl")
    #expect(back.status == 0, "\(back.errors)")
    #expect(work.files("R") == ["a.png", "one/b.png", "one/two/c d.png"])
    let picture = try work.image("R/one/two/c d.png")
    #expect(picture.width == 33 && picture.height == 5)
  }

  @Test func inputsThatShareAStemBothSurvive() throws {
    try work.add("in/x.png")
    try work.add("in/x.jpg", samplePicture(8, 8))
    #expect(try encode("in", "-o", "L").status == 0)
    #expect(work.files("L") == ["x.jpg.latent", "x.png.latent"])
    #expect(try work.lvae("decode", "L", "-o", "R", "--model", "kl").status == 0)
    #expect(work.files("R") == ["x.jpg.png", "x.png.png"])
    #expect(try work.image("R/x.jpg.png").width == 8)
  }

  @Test func picturesOfAnySizeComeBackInTheirSize() throws {
    let sizes = [(1, 1), (1, 9), (7, 1), (5, 3), (17, 16)]
    for (width, height) in sizes {
      try work.add("in/\(width)x\(height).png", samplePicture(width, height))
    }
    #expect(try encode("in", "-o", "L").status == 0)
    #expect(try work.lvae("decode", "L", "-o", "R", "--model", "kl").status == 0)
    for (width, height) in sizes {
      let picture = try work.image("R/\(width)x\(height).png")
      #expect(picture.width == width && picture.height == height)
    }
  }

  @Test func attentionInWindowsIsAnotherResultAndSaysSo() throws {
    try work.add("in/wide.png", samplePicture(300, 20))
    #expect(try encode("in", "-o", "L", "--storage", "f32").status == 0)
    #expect(
      try encode("in", "-o", "W", "--storage", "f32", "--attention", "windowed").status == 0)
    let (exact, windowed) = (
      try LatentFile(contentsOf: work.url("L/wide.latent")),
      try LatentFile(contentsOf: work.url("W/wide.latent"))
    )
    #expect(exact.latent != windowed.latent)
    #expect(exact.metadata.additional == JSONObject())
    #expect(windowed.metadata.additional == ["attention_window": .number("64")])
    // What is there was made with other settings, or isn't.
    #expect(
      try encode("in", "-o", "W", "--storage", "f32", "--attention", "windowed").errors.contains(
        "1 up to date"))
    #expect(try encode("in", "-o", "W", "--storage", "f32").errors.contains("1 encoded"))
    let decode = ["decode", "L", "-o", "R", "--model", "kl"]
    #expect(try work.start(decode).result().errors.contains("1 decoded"))
    #expect(try work.start(decode).result().errors.contains("1 up to date"))
    #expect(
      try work.start(decode + ["--attention", "windowed"]).result().errors.contains("1 decoded"))
  }

  @Test func picturesAreBroughtToOneSizeAndMirrored() throws {
    try work.add("in/wide.png", samplePicture(40, 20))
    try work.add("in/high.png", samplePicture(11, 30))
    #expect(try encode("in", "-o", "L", "--size", "16", "--storage", "f32").status == 0)
    #expect(
      try encode("in", "-o", "M", "--size", "16", "--mirror", "--storage", "f32").status == 0)
    for name in ["wide", "high"] {
      let source = try LatentFile(contentsOf: work.url("L/\(name).latent")).metadata.source
      #expect(source?.width == 16 && source?.height == 16)
    }
    // As if the middle had been cut out and resized before.
    let middle = try work.image("in/wide.png").cropped(x: 10, y: 0, width: 20, height: 20)
      .resized(width: 16, height: 16)
    try work.add("middle/wide.png", middle)
    try work.add("mirrored/wide.png", middle.turnedUpright(from: .mirrored))
    for (folder, results) in [("middle", "L"), ("mirrored", "M")] {
      #expect(try encode(folder, "-o", "\(folder)-L", "--storage", "f32").status == 0)
      #expect(
        try LatentFile(contentsOf: work.url("\(folder)-L/wide.latent")).latent
          == LatentFile(contentsOf: work.url("\(results)/wide.latent")).latent)
    }
    // A run with other settings makes its results anew; the same ones leave them.
    #expect(
      try encode("in", "-o", "L", "--size", "16", "--storage", "f32").errors.contains(
        "2 up to date"))
    #expect(try encode("in", "-o", "L", "--storage", "f32").errors.contains("2 encoded"))
    let verified = try work.lvae("verify", "M", "--source", "in", "--model", "kl", "--json")
    #expect(verified.status == 0, "\(verified.errors)")
    #expect(try encode("in", "-o", "L", "--size", "0x5").status == 2)
  }

  @Test func greyStaysGreyAndOpacityIsKeptExactly() throws {
    let pictures: [(String, Image)] = [
      ("grey", samplePicture(9, 9, .grey)), ("greyAlpha", samplePicture(9, 9, .greyAlpha)),
      ("rgba", samplePicture(9, 9, .rgba)), ("rgba16", samplePicture(9, 9, .rgba, bitDepth: 16)),
      ("rgb16", samplePicture(9, 9, .rgb, bitDepth: 16)),
    ]
    for (name, picture) in pictures { try work.add("in/\(name).png", picture) }
    #expect(try encode("in", "-o", "L").status == 0)
    #expect(try work.lvae("decode", "L", "-o", "R", "--model", "kl").status == 0)
    for (name, picture) in pictures {
      let decoded = try work.image("R/\(name).png")
      #expect(decoded.channels == picture.channels, "\(name)")
      guard picture.channels.hasAlpha else { continue }
      let (kept, given) = (decoded.separatingAlpha().alpha, picture.separatingAlpha().alpha)
      #expect(kept?.samples == given?.samples, "\(name)")
    }
  }

  @Test func opacityCanBeBlendedOverAColour() throws {
    try work.add("x.png", samplePicture(8, 8, .rgba))
    #expect(try encode("x.png", "--alpha", "flatten=#ff8000").status == 0)
    let file = try work.latent("x.latent")
    #expect(file.alpha == nil)
    #expect(file.metadata.additional["flattened"]?.text == "\"#ff8000\"")
    #expect(try encode("x.png", "--alpha", "flatten=purple").status == 2)
  }

  @Test func theOrientationOfAJPEGIsApplied() throws {
    let file = try samplePicture(24, 8).encoded(as: .jpeg())
    let exif =
      Array("Exif\0\0MM\0*".utf8)
      + [0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0]
    let segment = [0xFF, 0xE1, 0, UInt8(exif.count + 2)] + exif
    try work.write(Array(file[..<2]) + segment + Array(file[2...]), to: "turned.jpg")
    #expect(try encode("turned.jpg").status == 0)
    let source = try #require(try work.latent("turned.latent").metadata.source)
    #expect(source.width == 8 && source.height == 24 && source.orientation == 6)
    #expect(try work.lvae("decode", "turned.latent", "--model", "kl").status == 0)
    #expect(try work.image("turned.png").height == 24)
  }

  @Test(arguments: LatentStorage.allCases)
  func everyStorageIsWrittenAndDecoded(_ storage: LatentStorage) throws {
    try work.add("x.png", samplePicture(21, 13))
    #expect(try encode("x.png", "--storage", storage.rawValue).status == 0)
    #expect(try work.latent("x.latent").latent.storage == storage)
    let run = try work.lvae("decode", "x.latent", "-o", "y.png", "--model", "kl")
    #expect(run.status == 0, "\(run.errors)")
  }

  @Test func aSampleIsFixedByItsSeedAndThePicture() throws {
    try work.add("in/x.png")
    try work.add("in/y.png", samplePicture(seed: 2))
    let sample = ["encode", "--model", "kl", "--posterior", "sample", "--seed"]
    #expect(try work.start(sample + ["7", "in", "-o", "A"]).result().status == 0)
    #expect(try work.start(sample + ["7", "in/x.png", "-o", "B"]).result().status == 0)
    #expect(try work.start(sample + ["8", "in/x.png", "-o", "C"]).result().status == 0)
    #expect(try work.bytes("A/x.latent") == work.bytes("B/x.latent"))
    #expect(try work.latent("A/x.latent").latent != work.latent("C/x.latent").latent)
    #expect(try work.latent("A/x.latent").metadata.seed == 7)
  }

  @Test func momentsHoldMeanAndVariance() throws {
    try work.add("x.png")
    #expect(try encode("x.png", "--posterior", "moments").status == 0)
    #expect(try work.latent("x.latent").latent.planes.count == 8)
    #expect(try work.lvae("decode", "x.latent", "-o", "R", "--model", "kl").status == 0)
  }

  @Test(arguments: ["sample", "moments"])
  func whatADeterministicModelLacksIsRefusedBeforeWork(_ values: String) throws {
    try work.add("x.png")
    let run = try work.lvae(
      "encode", "x.png", "-o", "L", "--model", "taesd", "--posterior", values)
    #expect(run.status == 2)
    #expect(
      run.errors == "lvae: taesd is an AutoencoderTiny, which has no variance to store as "
        + "`\(values)`; use --posterior mean\n")
    #expect(!work.exists("L"))
  }

  @Test func maximumLossChoosesTheStorage() throws {
    try work.add("x.png", samplePicture(40, 40))
    #expect(try encode("x.png", "-o", "a.latent", "--max-loss", "100").status == 0)
    #expect(try encode("x.png", "-o", "b.latent", "--max-loss", "1e-9").status == 0)
    #expect(try work.latent("a.latent").latent.storage == .int4)
    #expect(try work.latent("b.latent").latent.storage.bitsPerValue >= 8)
    let bad = try encode("x.png", "--max-loss", "-1")
    #expect(bad.status == 2 && bad.errors.contains("--max-loss"))
  }

  @Test func shardsAreADisjointCover() throws {
    let picture = try samplePicture(4, 4).encoded(as: .png())
    for index in 0..<12 { try work.write(picture, to: "in/\(index).png") }
    var found: [String] = []
    for part in 0..<3 {
      #expect(try encode("in", "-o", "L\(part)", "--shard", "\(part)/3").status == 0)
      found += work.files("L\(part)").filter { $0.hasSuffix(".latent") }
    }
    #expect(found.count == 12 && Set(found).count == 12)
    #expect(try encode("in", "-o", "L", "--shard", "3/3").status == 2)
  }

  @Test func theNumberOfThreadsDoesNotChangeAByte() throws {
    try work.add("in/a.png", samplePicture(70, 50))
    try work.add("in/b.png", samplePicture(31, 64, .rgba))
    #expect(try encode("in", "-o", "A", "--threads", "1").status == 0)
    #expect(try encode("in", "-o", "B", "--threads", "3").status == 0)
    for name in ["a", "b"] {
      #expect(try work.bytes("A/\(name).latent") == work.bytes("B/\(name).latent"))
    }
    #expect(try work.lvae("decode", "A", "--model", "kl", "--threads", "1").status == 0)
    #expect(try work.lvae("decode", "B", "--model", "kl", "--threads", "3").status == 0)
    #expect(try work.bytes("A/a.png") == work.bytes("B/a.png"))
    #expect(try encode("in", "--threads", "0").status == 2)
  }

  @Test func infiniteWeightsLeaveNoFile() throws {
    let model = try tinyAutoencoderKL { $0.latentChannels = 2 }
    try model.save(to: work.url("bad"))
    var weights = try work.bytes("bad/diffusion_pytorch_model.safetensors")
    // The first parameter of the file is a bias of the decoder; the last ones the encoder's.
    for index in weights.count - 4000..<weights.count { weights[index] = 0xFF }
    try work.write(weights, to: "bad/diffusion_pytorch_model.safetensors")
    try work.add("in/x.png")
    let run = try work.lvae("encode", "in", "-o", "L", "--model", "bad")
    #expect(run.status == 3)
    #expect(run.errors.contains("in/x.png: the latent has infinite or undefined numbers"))
    #expect(run.errors.contains("nothing was written"))
    #expect(work.files("L").isEmpty)
  }
}

/// Runs that find results of earlier ones.
@Suite struct EncodeResumeTests {
  let work: Workspace

  init() throws {
    work = try Workspace()
    try work.add("in/a.png")
    try work.add("in/b.png", samplePicture(seed: 2))
  }

  private func encode(_ arguments: String..., model: String = "kl") throws -> Run {
    try work.start(["encode", "in", "-o", "L", "--json", "--model", model] + arguments).result()
  }

  /// How many a run did and passed over.
  private func counts(_ run: Run) -> [Int?] { [run.count("done"), run.count("skipped")] }

  @Test func aSecondRunDoesNothing() throws {
    #expect(counts(try encode()) == [2, 0])
    let again = try encode()
    #expect(again.status == 0 && counts(again) == [0, 2])
    #expect(again.records.dropLast().allSatisfy { $0["status"] as? String == "skipped" })
    #expect(counts(try encode("--force")) == [2, 0])
  }

  @Test func theSameModelUnderAnotherNameChangesNothing() throws {
    #expect(counts(try encode()) == [2, 0])
    #expect(try work.lvae("models", "add", "kl", "--name", "mine").status == 0)
    #expect(counts(try encode(model: "mine")) == [0, 2])
  }

  @Test func whatChangedIsMadeAnew() throws {
    #expect(counts(try encode()) == [2, 0])
    try work.add("in/b.png", samplePicture(seed: 3))
    #expect(counts(try encode()) == [1, 1])
    let settings = [
      ["--storage", "f16"], ["--posterior", "moments"], ["--posterior", "sample", "--seed", "1"],
      ["--posterior", "sample", "--seed", "2"], ["--alpha", "flatten=#ffffff"],
      ["--max-loss", "1"], ["--no-preview"],
    ]
    for setting in settings {
      let arguments = ["encode", "in", "-o", "L", "--json", "--model", "kl"] + setting
      #expect(counts(try work.start(arguments).result()) == [2, 0], "\(setting)")
      #expect(counts(try work.start(arguments).result()) == [0, 2], "\(setting)")
    }
    #expect(counts(try encode(model: "taesd")) == [2, 0])
  }

  @Test func aResultThatWasCutShortIsMadeAnew() throws {
    #expect(counts(try encode()) == [2, 0])
    let whole = try work.bytes("L/a.latent")
    try work.write(Array(whole.dropLast(3)), to: "L/a.latent")
    #expect(counts(try encode()) == [1, 1])
    #expect(try work.bytes("L/a.latent") == whole)
  }

  @Test func someoneElsesFileIsKept() throws {
    try work.write(Array("my notes".utf8), to: "L/a.latent")
    let run = try encode()
    #expect(run.status == 1 && run.count("done") == 1)
    #expect(run.errors.contains("L/a.latent exists and was not made"))
    #expect(run.errors.contains("--force"))
    #expect(try work.bytes("L/a.latent") == Array("my notes".utf8))
    #expect(counts(try encode("--force")) == [2, 0])
    _ = try work.latent("L/a.latent")
  }
}
