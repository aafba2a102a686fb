import Foundation
import Images
import Models
import Tensors
import TestSupport
import Testing
import Training

@Suite struct SampleEvaluationTests {
  /// Trained once for all tests.
  private static let classifier = Result {
    try ClassifierTraining(ShapePictures.set(60), settings: settings)()
  }
  private static let settings = {
    var settings = ClassifierTraining.Settings()
    (settings.steps, settings.batchSize) = (150, 16)
    return settings
  }()

  private func classifier() throws -> TrainedClassifier { try Self.classifier.get() }

  // MARK: The classifier

  @Test func shapesItHasNotSeenAreTold() throws {
    let record = try classifier().record
    #expect(record.trainingCount + record.heldOutCount == 180 && record.heldOutCount > 20)
    #expect(record.heldOutAccuracy > 0.9, "\(record)")
    let others = try ShapePictures.set(20, firstSeed: 1000)
    let found = try classifier().network.examine(others.squares).classes
    let hits = zip(found, others.labels ?? []).count { $0 == $1 }
    #expect(hits > 54, "\(hits) of 60")
  }

  @Test func theSeedFixesTheWeightsWhateverTheThreads() throws {
    var settings = Self.settings
    settings.steps = 8
    let pictures = try ShapePictures.set(8)
    let hashes = try [(1, UInt64(0)), (3, 0), (1, 1)].map { threads, seed in
      settings.seed = seed
      return try ThreadPool.$current.withValue(ThreadPool(threadCount: threads)) {
        try ClassifierTraining(pictures, settings: settings)().sha256
      }
    }
    #expect(hashes[0] == hashes[1] && hashes[0] != hashes[2])
  }

  @Test func aSavedClassifierComesBack() throws {
    try withTemporaryFolder { folder in
      let classifier = try classifier()
      try classifier.save(to: folder)
      let read = try TrainedClassifier(contentsOf: folder)
      #expect(read.record == classifier.record && read.sha256 == classifier.sha256)
      #expect(read.network.configuration == classifier.network.configuration)
      let pictures = try ShapePictures.set(3).squares
      #expect(
        read.network.examine(pictures).features.values
          == classifier.network.examine(pictures).features.values)
      try TrainedClassifier.checkFolder(folder)
    }
  }

  @Test func foldersOfSomethingElseAreRefused() throws {
    try withTemporaryFolder { folder in
      let configuration = folder.appending(path: "config.json")
      for (text, message) in [
        (#"{"_class_name": "AutoencoderKL"}"#, "AutoencoderKL"),
        (#"{"_class_name": "PictureClassifier"}"#, "class_names"),
        (
          #"{"_class_name": "PictureClassifier", "class_names": ["a", "b"], "norm_num_groups": 0}"#,
          "norm_num_groups"
        ),
        (
          #"{"_class_name": "PictureClassifier", "class_names": ["a", "b"], "side": 9999}"#, "9999"
        ),
        (#"{"_class_name": "PictureClassifier", "class_names": ["a", "b"]}"#, "model.safetensors"),
      ] {
        try Data(text.utf8).write(to: configuration)
        let error = #expect(throws: CheckpointError.self) {
          try TrainedClassifier(contentsOf: folder)
        }
        #expect("\(error as Any)".contains(message), "\(error as Any)")
      }
      try Data(#"{"_class_name": "AutoencoderKL"}"#.utf8).write(to: configuration)
      #expect(throws: TrainingError.folderInUse(path: folder.path)) {
        try TrainedClassifier.checkFolder(folder)
      }
    }
  }

  @Test func picturesWithoutTwoClassesTrainNothing() throws {
    let squares = (0..<4).map { ShapePictures.picture(0, seed: UInt64($0)) }
    for (names, found) in [
      (["a.png", "b.png", "c.png", "d.png"], [String]()),
      (["x/a.png", "x/b.png", "x/c.png", "x/d.png"], ["x"]),
    ] {
      let set = try SquarePictures(path: "p", names: names, squares: squares, labels: .folders)
      #expect(throws: SampleEvaluationError.noClasses(path: "p", found: found)) {
        try ClassifierTraining(set)
      }
    }
  }

  // MARK: Samples

  @Test func samplesOfTheRealKindAreNearerThanOthers() throws {
    let real = try ShapePictures.set(40, firstSeed: 500)
    let good = try SampleEvaluation(
      samples: ShapePictures.set(40, firstSeed: 2000), real: real, training: nil,
      classifier: classifier())
    // Only discs: of the real kind each, but not all of it.
    let squares = (0..<120).map { ShapePictures.picture(2, seed: 3000 + UInt64($0)) }
    let discs = try SquarePictures(
      path: "discs", names: squares.indices.map { "\($0).png" }, squares: squares, labels: .folders)
    let narrow = try SampleEvaluation(
      samples: discs, real: real, training: nil, classifier: classifier())
    #expect(
      good.distances.map(\.name) == [
        "samples, real", "samples, half of real", "two halves of real",
      ])
    #expect(good.distances.map(\.counts) == [[120, 120], [60, 60], [60, 60]])
    #expect(good.classes.shareDifference == 0)
    #expect(narrow.distances[0].frechet > 5 * good.distances[0].frechet)
    #expect(narrow.distances[0].kernel > 5 * abs(good.distances[0].kernel))
    #expect(good.classes.samples.accuracy ?? 0 > 0.9 && narrow.classes.samples.accuracy == nil)
    #expect(narrow.classes.samples.predicted[2] > 110)
    #expect(good.copies == nil)
  }

  @Test func copiesAreFoundAndHardlyAnyOther() throws {
    let training = try ShapePictures.set(40)
    let fresh = try ShapePictures.set(10, firstSeed: 4000)
    // Three pictures of the training set with one level more here and there.
    let copied = [5, 50, 100].map { place in
      let samples = training.squares[place].eightBit().samples
      guard case .eightBit(var bytes) = samples else { return training.squares[place] }
      for index in stride(from: 0, to: bytes.count, by: 5) where bytes[index] < 255 {
        bytes[index] += 1
      }
      return Image(width: 16, height: 16, channels: .rgb, samples: .eightBit(bytes))
    }
    let samples = try SquarePictures(
      path: "s", names: (0..<33).map { "\($0).png" }, squares: fresh.squares + copied, labels: .none
    )
    for real in [try ShapePictures.set(40, firstSeed: 500), training] {
      let copies = try #require(
        try SampleEvaluation(
          samples: samples, real: real, training: training, classifier: classifier()
        ).copies)
      // One real picture of a hundred is as near as that, so one of the 30 fresh ones may be.
      #expect(Set(copies.pixels.copies).isSuperset(of: [30, 31, 32]))
      #expect(copies.pixels.copies.count <= 4)
      #expect(Set(copies.pixels.nearestFirst.prefix(3)) == [30, 31, 32])
      #expect(copies.pixels.neighbours[31].place == 50)
      #expect(copies.pixels.neighbours[31].distance < 1)
      #expect(Set(copies.features.copies).isSuperset(of: [30, 31, 32]))
      // A real picture that is the training picture itself isn't compared with that.
      #expect(copies.pixels.realDistances.allSatisfy { $0 > 0 })
      // At most one real picture of a hundred would be called a copy.
      let threshold = try #require(copies.pixels.threshold)
      #expect(copies.pixels.realDistances.count { $0 < threshold } <= 1)
    }
  }

  @Test func pixelDistancesAreRootMeanSquares() throws {
    func grey(_ level: UInt8) -> Image {
      Image(
        width: 16, height: 16, channels: .rgb,
        samples: .eightBit([UInt8](repeating: level, count: 768)))
    }
    let others = [grey(255), grey(90), grey(103)]
    let found = NearestPictures.byPixels(of: [grey(0), grey(100)], among: others) {
      $0 == 1 && $1 == 2
    }
    let neighbours = found.compactMap { $0 }
    #expect(neighbours.map(\.place) == [1, 1])
    #expect(neighbours.map(\.distance) == [90, 10])
    let none = NearestPictures.byPixels(of: [grey(0)], among: others) { _, _ in true }
    #expect(none.count == 1 && none.compactMap { $0 }.isEmpty)
  }

  @Test func confusionsAreCounted() throws {
    let squares = [0, 0, 1, 2].map { ShapePictures.picture($0, seed: 77) }
    let network = try classifier().network
    let seen = network.examine(squares).classes
    // The labels are wrong by one.
    let names = seen.enumerated().map { index, place in
      "\(ShapePictures.classNames[(place + 1) % 3])/\(index).png"
    }
    let set = try SquarePictures(path: "s", names: names, squares: squares, labels: .folders)
    let classes = try SampleEvaluation(
      samples: set, real: ShapePictures.set(4), training: nil, classifier: classifier()
    ).classes
    #expect(classes.samples.accuracy == 0 && classes.samples.hits == [0, 0, 0])
    #expect(classes.samples.confusions.reduce(0) { $0 + $1.count } == 4)
    #expect(classes.samples.confusions.allSatisfy { $0.label == ($0.taken + 1) % 3 })
    let counts = classes.samples.confusions.map(\.count)
    #expect(counts == counts.sorted(by: >))
  }

  @Test func whatCannotBeMeasuredIsRefused() throws {
    let shapes = try ShapePictures.set(4)
    let one = try SquarePictures(
      path: "one", names: ["disc/a.png"], squares: [shapes.squares[0]], labels: .folders)
    let strange = try SquarePictures(
      path: "strange", names: ["star/a.png", "disc/b.png"],
      squares: Array(shapes.squares.prefix(2)),
      labels: .folders)
    #expect(throws: SampleEvaluationError.tooFew(path: "one", count: 1, needed: 2)) {
      try SampleEvaluation(samples: one, real: shapes, training: nil, classifier: classifier())
    }
    #expect(
      throws: SampleEvaluationError.unknownClasses(
        path: "strange", unknown: ["star"], known: ShapePictures.classNames)
    ) {
      try SampleEvaluation(samples: strange, real: shapes, training: nil, classifier: classifier())
    }
  }

  @Test func squaresAreTheMiddleOverWhite() {
    let clear = Image(
      width: 6, height: 4, channels: .rgba, samples: .eightBit([UInt8](repeating: 0, count: 96)))
    let square = clear.square(side: 8)
    #expect(square.width == 8 && square.height == 8)
    #expect(square.samples == .eightBit([UInt8](repeating: 255, count: 192)))
  }
}
