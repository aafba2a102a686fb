import Images
import Synchronization
import TestSupport
import Tensors
import Testing
import Training

@Suite struct BatchLoaderTests {
  private func loader(
    _ count: Int = 7, seed: UInt64 = 5, width: Int = 12, height: Int = 9,
    configure: (inout BatchLoader.Settings) -> Void = { _ in }
  ) -> BatchLoader {
    var settings = BatchLoader.Settings()
    (settings.crop, settings.batchSize) = (4, 3)
    configure(&settings)
    return BatchLoader(
      source: InMemoryPictures(numberedPictures(count, width: width, height: height)),
      indices: Array(0..<count), settings: settings, seed: seed)
  }

  /// The sample 0…255 at a pixel of a batch.
  private func sample(_ batch: Tensor, _ n: Int, _ y: Int, _ x: Int, _ c: Int) -> Int {
    let index = ((n * batch.shape[1] + y) * batch.shape[2] + x) * 3 + c
    return Int(((batch.scalars[index] + 1) * 127.5).rounded())
  }

  @Test func eachEpochShowsEachPictureOnceInItsOwnOrder() throws {
    let loader = loader()
    let shown = try (0..<14).flatMap { step in
      let batch = try loader.batch(step)
      #expect(batch.shape == [3, 4, 4, 3])
      return (0..<3).map { sample(batch, $0, 0, 0, 0) }
    }
    let epochs = (0..<6).map { Array(shown[($0 * 7)..<($0 * 7 + 7)]) }
    for epoch in epochs { #expect(epoch.sorted() == Array(0..<7)) }
    #expect(Set(epochs).count == 6)
  }

  @Test func aBatchDependsOnSeedAndNumberAlone() throws {
    let first = loader()
    let later = try first.batch(9).scalars
    for step in [2, 0, 30, 9, 8] { _ = try first.batch(step) }
    #expect(try first.batch(9).scalars == later)
    #expect(try loader().batch(9).scalars == later)
    #expect(try loader(seed: 6).batch(9).scalars != later)
  }

  @Test func squaresAreCutAnywhereAndMirroredHalfOfTheTime() throws {
    let loader = loader()
    var (starts, mirrored) = (Set<[Int]>(), 0)
    for step in 0..<100 {
      let batch = try loader.batch(step)
      for n in 0..<3 {
        let (left, right) = (sample(batch, n, 0, 0, 1), sample(batch, n, 0, 3, 1))
        #expect(abs(left - right) == 3)
        if left > right { mirrored += 1 }
        starts.insert([min(left, right), sample(batch, n, 0, 0, 2)])
        #expect(sample(batch, n, 3, 0, 2) == sample(batch, n, 0, 0, 2) + 3)
      }
    }
    #expect(starts.count == 9 * 6)
    #expect((110...190).contains(mirrored))
    let straight = self.loader { $0.flips = false }
    for step in 0..<20 {
      let batch = try straight.batch(step)
      #expect(sample(batch, 0, 0, 0, 1) < sample(batch, 0, 0, 3, 1))
    }
  }

  @Test func scaleWidensWhatASquareShows() throws {
    // Half the size: a square of 4 shows 8 pixels, so its columns are about 2 apart.
    let loader = loader { ($0.scale, $0.flips) = (0.5...0.5, false) }
    let batch = try loader.batch(0)
    let columns = (0..<4).map { sample(batch, 0, 2, $0, 1) }
    #expect((5...7).contains(columns[3] - columns[0]))
    // A tenth would need 40 pixels, and the picture has 9: it is shown in full height.
    let small = self.loader { $0.scale = 0.1...0.1 }
    let rows = try small.batch(0)
    #expect(sample(rows, 0, 3, 0, 2) - sample(rows, 0, 0, 0, 2) >= 6)
  }

  @Test func smallPicturesAreRefusedOrEnlarged() throws {
    let strict = loader { $0.crop = 10 }
    let error = #expect(throws: TrainingDataError.self) { try strict.batch(0) }
    guard case .tooSmall(_, 12, 9, 10)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(error?.description.contains("data.enlarge_small") == true)
    let enlarging = loader { ($0.crop, $0.enlargesSmallPictures) = (32, true) }
    #expect(try enlarging.batch(0).shape == [3, 32, 32, 3])
  }

  @Test func squaresForValidationAreTheMiddle() throws {
    let centers = try loader(width: 12, height: 8).centers(1..<3)
    #expect(centers.shape == [2, 4, 4, 3])
    #expect(sample(centers, 0, 0, 0, 0) == 1 && sample(centers, 1, 0, 0, 0) == 2)
    #expect(sample(centers, 0, 0, 0, 1) == 4 && sample(centers, 0, 0, 0, 2) == 2)
  }

  /// Some pictures of a data set that can't be read.
  private struct Flawed: PictureSource {
    let good: InMemoryPictures
    let bad: Set<Int>
    var count: Int { good.count }
    func name(at index: Int) -> String { good.name(at: index) }
    func picture(at index: Int) throws(TrainingDataError) -> Image {
      if bad.contains(index) { throw .unreadable(name: name(at: index), reason: "is torn") }
      return good.picture(at: index)
    }
  }

  @Test func unreadablePicturesArePassedOverUpToALimit() throws {
    let notices = Mutex<[String]>([])
    func loader(bad: Set<Int>, limit: Int) -> BatchLoader {
      var settings = BatchLoader.Settings()
      (settings.crop, settings.batchSize) = (4, 6)
      return BatchLoader(
        source: Flawed(good: InMemoryPictures(numberedPictures(6)), bad: bad),
        indices: Array(0..<6), settings: settings, seed: 1, unreadableLimit: limit
      ) { notice in notices.withLock { $0.append(notice) } }
    }
    let two = loader(bad: [1, 2], limit: 2)
    for step in 0..<3 {
      let batch = try two.batch(step)
      let shown = (0..<6).map { sample(batch, $0, 0, 0, 0) }
      #expect(shown.sorted() == [0, 3, 3, 3, 4, 5])
    }
    #expect(notices.withLock { $0.sorted() } == ["picture-1: is torn", "picture-2: is torn"])
    #expect(throws: TrainingDataError.self) { try loader(bad: [1, 2, 3], limit: 2).batch(0) }
    #expect(throws: TrainingDataError.self) {
      try loader(bad: Set(0..<6), limit: 100).batch(0)
    }
  }

  @Test func preparingAheadGivesTheSameBatches() throws {
    let loader = loader()
    let prefetcher = BatchPrefetcher(from: 4) {
      step throws(TrainingDataError) in try loader.batch(step)
    }
    for step in 4..<10 { #expect(try prefetcher.next().scalars == loader.batch(step).scalars) }
  }

  @Test func anErrorAheadComesInItsTurnAndStays() throws {
    let loader = loader { $0.crop = 50 }
    let prefetcher = BatchPrefetcher(from: 0) {
      step throws(TrainingDataError) in try loader.batch(step)
    }
    for _ in 0..<3 { #expect(throws: TrainingDataError.self) { try prefetcher.next() } }
  }
}
