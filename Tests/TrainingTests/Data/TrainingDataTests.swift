import Foundation
import Images
import Tensors
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

  @Test(
    .enabled(if: SharedFiles.exist, Comment(rawValue: SharedFiles.absence)),
    arguments: [("photos", 486, 128), ("emoji72", 3283, 64), ("clothing64/train", 3068, 64)])
  func realPicturesGiveBatches(name: String, count: Int, crop: Int) throws {
    let source = try TrainingData.source(path: SharedFiles.url("images/\(name)").path)
    #expect(source.count == count)
    let data = TrainingData(source, validationFraction: 0.1)
    #expect(abs(data.validation.count - count / 10) < count / 25)
    var settings = BatchLoader.Settings()
    settings.crop = crop
    let loader = BatchLoader(
      source: source, indices: data.training, settings: settings, seed: 1, unreadableLimit: 0)
    let batch = try loader.batch(2)
    #expect(batch.shape == [8, crop, crop, 3])
    #expect(batch.scalars.allSatisfy { (-1...1).contains($0) })
  }
}
