import Images
import TestSupport
import Testing

@Suite struct TraverseCommandTests {
  let work: Workspace

  init() throws {
    work = try Workspace()
    try work.add("a.png", samplePicture(24, 16))
    for seed in 1...3 { try work.add("in/\(seed).png", samplePicture(40, 32, seed: UInt64(seed))) }
  }

  private func traverse(_ arguments: String...) throws -> Run {
    try work.start(["traverse", "a.png", "--model", "kl"] + arguments).result()
  }

  private func tile(_ column: Int, _ row: Int, of name: String) throws -> Image {
    try work.image(name).cropped(x: 2 + 26 * column, y: 2 + 18 * row, width: 24, height: 16)
  }

  @Test func eachChannelIsARow() throws {
    let run = try traverse("-o", "t.png", "--steps", "5", "--range", "2")
    #expect(run.status == 0, "\(run.errors)")
    let grid = try work.image("t.png")
    #expect(grid.width == 5 * 26 + 2 && grid.height == 4 * 18 + 2)
    // The middle is the picture as it is decoded, in every row.
    let middle = try tile(2, 0, of: "t.png")
    for row in 1..<4 { #expect(try tile(2, row, of: "t.png").samples == middle.samples) }
    #expect(try tile(0, 0, of: "t.png").samples != tile(4, 0, of: "t.png").samples)
    #expect(run.output.contains("  4  channel 3: σ 5.490"), "\(run.output)")
    #expect(run.output.contains("columns, in σ: -2.00  -1.00  0.00  1.00  2.00"))
  }

  @Test func channelsAreChosen() throws {
    let run = try traverse("--channels", "3,0-1", "--steps", "2", "--json")
    let rows = try #require(run.records.first?["rows"] as? [[String: Any]])
    #expect(
      rows.compactMap { $0["direction"] as? String } == ["channel 3", "channel 0", "channel 1"])
    #expect(try work.image("traversal.png").height == 3 * 18 + 2)
  }

  @Test(arguments: [true, false])
  func componentsAreMeasuredOnAFolder(_ encoded: Bool) throws {
    if encoded {
      #expect(try work.lvae("encode", "in", "-o", "L", "--model", "kl").status == 0)
    }
    let run = try traverse("--components", "2", "--from", encoded ? "L" : "in", "--json", "-q")
    #expect(run.status == 0 && run.errors.isEmpty, "\(run.errors)")
    let rows = try #require(run.records.first?["rows"] as? [[String: Any]])
    let shares = rows.compactMap { $0["explained_variance"] as? Double }
    #expect(shares.count == 2 && shares[0] >= shares[1] && shares[0] < 1)
    let vector = try #require(rows[0]["vector"] as? [Double])
    #expect(abs(vector.reduce(0) { $0 + $1 * $1 } - 1) < 1e-9)
    let columns = try #require(run.records.first?["columns"] as? [Double])
    #expect(columns == [-3, -2, -1, 0, 1, 2, 3])
  }

  @Test func argumentsThatMakeNoSenseAreRefused() throws {
    let cases: [([String], Int32, String)] = [
      (["--channels", "4"], 2, "the model's latents have the channels 0 to 3"),
      (["--channels", "a"], 2, "--channels"),
      (["--channels", "5-2"], 2, "--channels"),
      (["--components", "2"], 2, "--components needs --from"),
      (["--components", "5", "--from", "in"], 2, "channels have 1 to 4"),
      (["--components", "0", "--from", "in"], 2, "channels have 1 to 4"),
      (["--components", "1", "--channels", "0", "--from", "in"], 2, "contradict"),
      (["--steps", "1"], 2, "--steps 1"), (["--range", "0"], 2, "--range"),
      (["--components", "1", "--from", "none"], 3, "none"),
    ]
    for (arguments, status, message) in cases {
      let run = try work.start(["traverse", "a.png", "--model", "kl"] + arguments).result()
      #expect(run.status == status && run.errors.contains(message), "\(arguments): \(run.errors)")
    }
    #expect(!work.exists("traversal.png"))
  }

  @Test func latentsOfAnotherModelAreRefused() throws {
    #expect(try work.lvae("encode", "in", "-o", "L", "--model", "taesd").status == 0)
    let run = try traverse("--components", "1", "--from", "L")
    #expect(run.status == 3 && run.errors.contains("L/1.latent: it was made with the model taesd"))
  }
}
