import Images
import TestSupport
import Testing
import Training

@Suite struct ImageFolderTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  @Test func everyFormatIsFoundInTheOrderOfNames() throws {
    try folder.add(samplePicture(), "b/two.JPG", as: .jpeg())
    try folder.add(samplePicture(), "b/one.webp", as: .webPLossless)
    try folder.add(samplePicture(16, 12, .rgba, bitDepth: 16), "a.png")
    try folder.write("notes.txt", "no picture")
    try folder.add(samplePicture(), ".hidden.png")
    let pictures = try ImageFolder(path: folder.path)
    #expect((0..<pictures.count).map(pictures.name) == ["a.png", "b/one.webp", "b/two.JPG"])
    for index in 0..<3 {
      let picture = try pictures.picture(at: index)
      #expect(picture.bitDepth == 8 && !picture.channels.hasAlpha && picture.width == 16)
      #expect(try pictures.picture(at: index).samples == picture.samples)
    }
  }

  @Test func opacityIsBlendedOverWhite() throws {
    let clear = Image(width: 1, height: 1, channels: .rgba, samples: .eightBit([0, 0, 0, 0]))
    try folder.add(clear, "x.png")
    let picture = try ImageFolder(path: folder.path, cacheByteCount: 0).picture(at: 0)
    #expect(picture.samples == .eightBit([255, 255, 255]))
  }

  @Test func anEmptyFolderAndAMissingOneAreErrors() throws {
    try folder.add("notes.txt")
    #expect(
      throws: TrainingDataError.empty(
        path: folder.path, formats: ["jpeg", "jpg", "png", "webp"])
    ) { try ImageFolder(path: folder.path) }
    #expect(throws: TrainingDataError.self) { try ImageFolder(path: folder("none")) }
  }

  @Test func aTornFileIsNamed() throws {
    try folder.write("torn.png", "not a picture")
    let pictures = try ImageFolder(path: folder.path)
    let error = #expect(throws: TrainingDataError.self) { try pictures.picture(at: 0) }
    #expect(error?.description.contains(folder("torn.png")) == true)
  }
}
