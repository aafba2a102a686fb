import Foundation
import Images
import LatentFiles
import TestSupport
import Testing

@Suite struct DemoCommandTests {
  let work: Workspace

  init() throws { work = try Workspace() }

  @Test func itWritesWhatItSays() throws {
    let run = try work.lvae("demo")
    #expect(run.status == 0 && run.errors.isEmpty, "\(run.errors)")
    let lines = run.output.split(separator: "\n")
    #expect(lines.first?.split(separator: " ").first == "picture")
    #expect(lines.dropFirst().prefix(6).allSatisfy { $0.hasSuffix(" dB") })
    #expect(run.output.contains("lvae encode PICTURES -o latents"))
    let files = work.files("lvae-demo")
    #expect(files.count == 20 && files.contains("drawn.png") && files.contains("side-by-side.png"))
    let grid = try work.image("lvae-demo/side-by-side.png")
    #expect(grid.width == 6 * 258 + 2 && grid.height == 2 * 173 + 2)
    // What it suggests works with what it wrote.
    #expect(try work.lvae("decode", "lvae-demo/latents", "-o", "R").status == 0)
    #expect(try work.image("R/cat.png").samples == work.image("lvae-demo/decoded/cat.png").samples)
    let verify = try work.lvae(
      "verify", "lvae-demo/latents", "--source", "lvae-demo/originals")
    #expect(verify.status == 0, "\(verify.errors)")
  }

  @Test func itTakesAnotherModelAndFolder() throws {
    let run = try work.lvae("demo", "-o", "here", "--model", "kl", "--json")
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.records.count == 6 && run.records.first?["name"] as? String == "cat")
    #expect(work.exists("here/latents/fox.latent"))
  }

  @Test func everyCommandWorksWithoutAModel() throws {
    try work.add("in/x.png")
    #expect(try work.lvae("encode", "in", "-o", "L").status == 0)
    #expect(try work.lvae("decode", "L", "-o", "R").status == 0)
    #expect(try work.lvae("verify", "L", "--source", "in").status == 0)
    #expect(try work.lvae("inspect", "L").output.contains("photo (AutoencoderCompact)"))
    #expect(try work.lvae("models", "show", "photo").output.contains("\n# photo\n"))
    #expect(try work.latent("L/x.latent").metadata.model.name == "photo")
  }
}
