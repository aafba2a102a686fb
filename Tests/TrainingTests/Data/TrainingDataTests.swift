import Images
import TestSupport
import Testing
import Training

@Suite struct TrainingDataTests {
  @Test func aPictureStaysOnItsSide() {
    let few = TrainingData(InMemoryPictures(numberedPictures(100)), validationFraction: 0.2)
    let many = TrainingData(InMemoryPictures(numberedPictures(200)), validationFraction: 0.2)
    #expect(Set(few.training).isDisjoint(with: few.validation))
    #expect(few.training.count + few.validation.count == 100)
    #expect((10...30).contains(few.validation.count))
    #expect(many.validation.filter { $0 < 100 } == few.validation)
    let more = TrainingData(InMemoryPictures(numberedPictures(100)), validationFraction: 0.3)
    #expect(Set(few.validation).isSubset(of: more.validation))
  }

  @Test func noSideIsEmptyUnlessAskedFor() {
    let source = InMemoryPictures(numberedPictures(3))
    let small = TrainingData(source, validationFraction: 1e-9)
    #expect(small.validation.count == 1 && small.training.count == 2)
    let large = TrainingData(source, validationFraction: 1 - 1e-9)
    #expect(large.training.count == 1)
    #expect(TrainingData(source, validationFraction: 0).validation.isEmpty)
    #expect(
      TrainingData(InMemoryPictures(numberedPictures(1)), validationFraction: 0.5).source.count == 1
    )
  }

  @Test func aPathIsAFolderOrAFile() throws {
    let folder = try TemporaryFolder()
    try folder.add(samplePicture(), "a/x.png")
    try folder.link("link", to: folder("a"))
    #expect(try TrainingData.source(path: folder("a")).name(at: 0) == "x.png")
    #expect(try TrainingData.source(path: folder("link")).count == 1)
    #expect(throws: TrainingDataError.self) { try TrainingData.source(path: folder("none")) }
    #expect(throws: TrainingDataError.self) { try TrainingData.source(path: folder("a/x.png")) }
  }
}
