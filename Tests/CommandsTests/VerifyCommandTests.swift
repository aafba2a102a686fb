import Pipelines
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

  // MARK: Tars

  /// The latents and the pictures as a tar each.
  private func pack() throws {
    for (folder, tar) in [("L", "T/L.tar"), ("in", "P/in.tar")] {
      var writer = TarWriter()
      writer.add("sub", kind: .folder)
      for name in work.files(folder) { writer.add(name, try work.bytes("\(folder)/\(name)")) }
      writer.add("sub/x.txt", Array("a caption".utf8))
      try work.write(writer.finished, to: tar)
    }
  }

  @Test func membersOfTarsAreVerified() throws {
    try pack()
    let run = try work.lvae("verify", "T/L.tar", "L")
    #expect(run.status == 0 && run.errors.contains("4 verified of 4 in"), "\(run.errors)")
    #expect(try work.lvae("verify", "T").errors.contains("2 verified of 2 in"))
    for source in ["in", "P", "P/in.tar"] {
      let run = try work.lvae("verify", "T", "--source", source, "--model", "kl")
      #expect(run.status == 0, "\(run.errors)")
      #expect(run.output.contains(" dB  T/L.tar: sub/x.jpg.latent\n"), "\(run.output)")
    }
    let records = try work.lvae("verify", "T", "--json").records.dropLast()
    #expect(records.map { $0["input"] as? String } == ["T/L.tar", "T/L.tar"])
    #expect(
      Set(records.map { $0["member"] as? String }) == ["sub/x.jpg.latent", "sub/x.png.latent"])
  }

  @Test func whatIsWrongInATarIsTold() throws {
    try pack()
    let bytes = try work.bytes("T/L.tar")
    // The last byte of a latent's planes.
    var damaged = bytes
    let member = try #require(
      try TarReader.index(of: work("T/L.tar")).first { $0.member.name == "sub/x.png.latent" })
    damaged[member.range.upperBound - 1] ^= 1
    try work.write(damaged, to: "damaged.tar")
    let run = try work.lvae("verify", "damaged.tar")
    #expect(run.status == 1 && run.errors.contains("1 verified, 1 failed of 2"), "\(run.errors)")
    #expect(run.errors.contains("damaged.tar: sub/x.png.latent: "), "\(run.errors)")

    try work.write(Array(bytes[..<(bytes.count - 1536)]), to: "cut.tar")
    let cut = try work.lvae("verify", "cut.tar")
    #expect(cut.status == 1 && cut.errors.contains("2 verified, 1 failed of 3"), "\(cut.errors)")
    #expect(cut.errors.contains("the tar is cut off; its first 3 members are whole"))

    var twice = TarWriter()
    for _ in 0..<2 { twice.add("x.latent", try work.bytes("L/sub/x.png.latent")) }
    try work.write(twice.finished, to: "twice.tar")
    let double = try work.lvae("verify", "twice.tar")
    #expect(double.status == 1)
    #expect(double.errors.contains("there would be two members x.latent"), "\(double.errors)")
  }

  @Test func aTarWithoutLatentsIsToldOnlyIfItWasNamed() throws {
    try pack()
    let named = try work.lvae("verify", "P/in.tar")
    #expect(named.status == 3)
    #expect(named.errors.contains("the tar holds no file that ends in .latent"), "\(named.errors)")
    #expect(try work.lvae("verify", "L", "P").status == 0)
    let nothing = try work.lvae("verify", "P")
    #expect(nothing.status == 2 || nothing.status == 3)
    #expect(nothing.errors.contains("no files found in P; looked for .latent, .tar"))
  }
}
