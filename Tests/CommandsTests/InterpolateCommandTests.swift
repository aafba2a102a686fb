import Images
import TestSupport
import Testing

@Suite struct InterpolateCommandTests {
  let work: Workspace

  init() throws {
    work = try Workspace()
    try work.add("a.png", samplePicture(24, 16))
    try work.add("b.png", samplePicture(24, 16, seed: 2))
    try work.add("wide.png", samplePicture(60, 16, seed: 3))
  }

  private func tile(_ index: Int, of name: String) throws -> Image {
    try work.image(name).cropped(x: 2 + 26 * index, y: 2, width: 24, height: 16)
  }

  @Test(arguments: ["lerp", "slerp"])
  func theEndsAreTheDecodedPictures(_ method: String) throws {
    let run = try work.lvae(
      "interpolate", "a.png", "b.png", "-o", "s.png", "--steps", "5", "--method", method,
      "--model", "kl", "--json")
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.records.first?["method"] as? String == method)
    let strip = try work.image("s.png")
    #expect(strip.width == 5 * 26 + 2 && strip.height == 20)
    let options = ["--model", "kl", "--storage", "f32"]
    #expect(
      try work.start(["encode", "a.png", "b.png", "-o", "L"] + options).result().status == 0)
    #expect(try work.lvae("decode", "L", "-o", "R", "--model", "kl").status == 0)
    for (index, name) in [(0, "a"), (4, "b")] {
      let decoded = try work.image("R/\(name).png")
      #expect(try tile(index, of: "s.png").peakSignalToNoiseRatio(to: decoded) > 55)
    }
    #expect(try tile(2, of: "s.png").samples != tile(0, of: "s.png").samples)
    let note = try #require(Image.note(in: work.bytes("s.png")))
    #expect(note.contains("\(method) in 5 steps from a.png to b.png, model kl, weights "))
  }

  @Test func latentsFindTheirModel() throws {
    #expect(try work.lvae("models", "add", "kl", "--name", "any").status == 0)
    #expect(try work.lvae("encode", "a.png", "-o", "a.latent", "--model", "kl").status == 0)
    let run = try work.lvae("interpolate", "a.latent", "b.png", "--steps", "2")
    #expect(run.status == 0, "\(run.errors)")
    #expect(try work.image("interpolation.png").width == 2 * 26 + 2)
    #expect(Image.note(in: try work.bytes("interpolation.png"))?.contains("model any") == true)
  }

  @Test func latentsOfAnotherModelAreRefused() throws {
    #expect(try work.lvae("encode", "a.png", "-o", "a.latent", "--model", "kl").status == 0)
    let run = try work.lvae("interpolate", "b.png", "a.latent", "--model", "taesd")
    #expect(run.status == 3)
    #expect(run.errors.contains("a.latent: it was made with the model kl"), "\(run.errors)")
    let unknown = try work.lvae("interpolate", "b.png", "a.latent")
    #expect(unknown.status == 3 && unknown.errors.contains("a.latent: it was made with"))
    #expect(!work.exists("interpolation.png"))
  }

  @Test func theSecondPictureTakesTheSizeOfTheFirst() throws {
    let run = try work.lvae("interpolate", "a.png", "wide.png", "--steps", "2", "--model", "kl")
    #expect(run.status == 0)
    #expect(run.errors.contains("wide.png has 60×16 pixels; its middle is resized to 24×16"))
    #expect(try work.image("interpolation.png").height == 20)
    // So does a latent: the middle of its picture.
    #expect(try work.lvae("encode", "wide.png", "-o", "w.latent", "--model", "kl").status == 0)
    let latent = try work.lvae(
      "interpolate", "a.png", "w.latent", "--steps", "2", "--model", "kl", "-q")
    #expect(latent.status == 0 && latent.errors.isEmpty)
  }

  @Test func picturesCanBeMadeSmaller() throws {
    let run = try work.lvae(
      "interpolate", "a.png", "b.png", "--steps", "3", "--side", "12", "--model", "kl")
    #expect(run.status == 0)
    #expect(try work.image("interpolation.png").width == 3 * 14 + 2)
  }

  @Test func badArgumentsAndFilesAreNamed() throws {
    let cases: [([String], Int32, String)] = [
      (["a.png", "b.png", "--steps", "1"], 2, "--steps 1: a number from 2"),
      (["a.png", "b.png", "--method", "cubic"], 2, "cubic"),
      (["a.png", "b.png", "-o", "x.jpg"], 2, "x.jpg"),
      (["a.png"], 2, "second"),
      (["a.png", "none.png"], 3, "none.png"),
    ]
    for (arguments, status, message) in cases {
      let run = try work.start(["interpolate", "--model", "kl"] + arguments).result()
      #expect(run.status == status && run.errors.contains(message), "\(run.errors)")
    }
    try work.write([1, 2, 3], to: "bad.png")
    let run = try work.lvae("interpolate", "a.png", "bad.png", "--model", "kl")
    #expect(run.status == 3 && run.errors.contains("bad.png: the file is neither PNG"))
  }
}
