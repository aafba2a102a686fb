import Foundation
import Images
import LatentFiles
import Pipelines
import Tensors
import TestSupport
import Testing

@Suite struct LatentInputTests {
  let folder: TemporaryFolder
  let codec: LatentCodec

  init() throws {
    folder = try TemporaryFolder()
    codec = LatentCodec(try tinyAutoencoderKL())
  }

  private func write(_ bytes: [UInt8], to name: String) throws {
    try Data(bytes).write(to: URL(filePath: folder(name)))
  }

  @Test func aPictureAndItsLatentAreAlike() throws {
    let picture = samplePicture(21, 14)
    try write(try picture.encoded(as: .png()), to: "x.png")
    let options = EncodingOptions(storage: .f32, values: .moments)
    try write(try codec.encode(picture, options: options).encoded(), to: "x.latent")
    let inputs = try ["x.png", "x.latent"].map { try LatentInput(path: folder($0)) }
    let encoded = try inputs.map { try $0.latents(with: codec) }
    #expect(encoded[0].latents.scalars == encoded[1].latents.scalars)
    #expect(encoded.allSatisfy { $0.width == 21 && $0.height == 14 })
    #expect(inputs[0].model == nil && inputs[1].model?.sha256 == codec.model.sha256)
    let resized = try inputs.map { try $0.latents(with: codec, height: 8, width: 40) }
    #expect(resized.allSatisfy { $0.latents.shape == [1, 2, 10, 4] })
    let reduced = try inputs[0].reduced(toLongestSide: 7).latents(with: codec)
    #expect(reduced.width == 7 && reduced.height == 5)
  }

  @Test func aLatentOfAnotherModelIsRefusedByName() throws {
    try write(try codec.encode(samplePicture()).encoded(), to: "x.latent")
    let other = LatentCodec(try tinyAutoencoderKL(seed: 2))
    let error = #expect(throws: GenerationError.self) {
      try LatentInput(path: folder("x.latent")).latents(with: other)
    }
    #expect(error?.description.contains("x.latent: it was made with the model tiny-kl") == true)
  }

  @Test func whatCannotBeReadIsNamed() throws {
    try write([1, 2, 3], to: "x.png")
    for name in ["x.png", "none.png", "none.latent"] {
      let error = #expect(throws: GenerationError.self) { try LatentInput(path: folder(name)) }
      #expect(error?.description.contains(name) == true)
    }
  }

  @Test(arguments: [(30, 10, 10, 10), (10, 30, 20, 10), (8, 8, 3, 2), (5, 3, 100, 1)])
  func theMiddleHasTheWantedShape(_ width: Int, _ height: Int, _ toWidth: Int, _ toHeight: Int) {
    let picture = samplePicture(width, height)
    let middle = picture.croppedToMiddle(shapedAs: toWidth, toHeight)
    // One side stays, and the other is as near as whole pixels come.
    #expect(middle.width == width || middle.height == height)
    let wanted = Double(toWidth) / Double(toHeight)
    let nearest =
      middle.width == width
      ? Double(width) / wanted - Double(middle.height)
      : Double(height) * wanted - Double(middle.width)
    #expect(abs(nearest) <= 1)
  }

  @Test func filesAreChosenEvenly() throws {
    #expect(Array(0..<10).evenlyChosen(4) == [0, 2, 5, 7])
    #expect(Array(0..<3).evenlyChosen(4) == [0, 1, 2])
    try folder.add("in/a.png", "in/b.latent", "in/c.txt", "in/d/e.jpg")
    let (chosen, found) = try LatentInput.files(below: folder("in"), limit: 2)
    #expect(found == 3 && chosen.map(\.relativePath) == ["a.png", "b.latent"])
  }
}

@Suite struct GeneratedPicturesTests {
  @Test func ownPicturesAreReplacedAndOthersKept() throws {
    let folder = try TemporaryFolder()
    let path = folder("a/x.png")
    let sample = GeneratedPictures(command: "lvae sample", force: false)
    try sample.write(samplePicture(), note: "picture 1", to: path)
    try sample.finish()
    let bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
    #expect(Image.note(in: bytes) == "made by lvae sample: picture 1")
    try sample.write(samplePicture(seed: 2), note: "picture 1", to: path)
    let traverse = GeneratedPictures(command: "lvae traverse", force: false)
    #expect(throws: RefusedOverwrite(path: path)) { try traverse.check(path) }
    #expect(throws: RefusedOverwrite.self) {
      try traverse.write(samplePicture(), note: "", to: path)
    }
    try GeneratedPictures(command: "lvae traverse", force: true).check(path)
    try traverse.check(folder("a/y.png"))
  }
}
