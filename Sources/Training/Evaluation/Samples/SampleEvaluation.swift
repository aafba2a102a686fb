import Images

/// How far samples are from real pictures, and whether they are copies.
public struct SampleEvaluation: Sendable {
  /// How far two sets of pictures are apart.
  public struct Distance: Sendable {
    /// Which sets.
    public let name: String
    /// How many pictures each has.
    public let counts: [Int]
    /// Fréchet's distance of their features.
    public let frechet: Double
    /// ``KernelDistance`` of their features.
    public let kernel: Double
    /// Whether a set has too few pictures for a covariance of full rank.
    public let isRankDeficient: Bool

    init(
      _ name: String, _ first: FeatureVectors, _ second: FeatureVectors
    ) throws(SampleEvaluationError) {
      let distributions = [FeatureDistribution(first), FeatureDistribution(second)]
      self.name = name
      counts = [first.count, second.count]
      frechet = try distributions[0].frechetDistance(to: distributions[1])
      kernel = KernelDistance.squared(first, second)
      isRankDeficient = distributions.contains { $0.isRankDeficient }
    }
  }

  /// Inception's features of the sets.
  public struct InceptionSets: Sendable {
    /// Those of the samples.
    public let samples: FeatureVectors
    /// Those of the real pictures.
    public let real: FeatureVectors
    /// Those of the training pictures; nil if they aren't known.
    public let training: FeatureVectors?

    /// Features of the sets.
    public init(samples: FeatureVectors, real: FeatureVectors, training: FeatureVectors?) {
      (self.samples, self.real, self.training) = (samples, real, training)
    }
  }

  /// The samples.
  public let samples: SquarePictures
  /// The real pictures that they are compared with.
  public let real: SquarePictures
  /// The pictures that the generator was trained with; nil if they aren't known.
  public let training: SquarePictures?
  /// What gave the features and the classes.
  public let classifier: TrainedClassifier
  /// Of samples and real pictures first, then what to compare it with.
  public let distances: [Distance]
  /// The same of Inception's features; empty without its weights.
  public let inceptionDistances: [Distance]
  /// What the classifier says about classes.
  public let classes: ClassTable
  /// The class that it sees in each sample.
  public let predictedClasses: [Int]
  /// Whether samples are copies; nil without training pictures.
  public let copies: CopyCheck?

  /// Measures samples.
  ///
  /// - Parameters:
  ///   - samples: The samples.
  ///   - real: What they are compared with: best pictures that the generator hasn't seen.
  ///   - training: What the generator was trained with.
  ///   - classifier: What gives features and classes.
  ///   - inception: Inception's features of the same pictures, if its weights are there.
  /// - Precondition: all pictures have the classifier's size.
  /// - Throws: ``SampleEvaluationError`` for fewer than two pictures, unknown classes, and a
  ///   classifier that isn't finite.
  public init(
    samples: SquarePictures, real: SquarePictures, training: SquarePictures?,
    classifier: TrainedClassifier, inception: InceptionSets? = nil
  ) throws(SampleEvaluationError) {
    for set in [samples, real] + [training].compactMap({ $0 }) where set.count < 2 {
      throw .tooFew(path: set.path, count: set.count, needed: 2)
    }
    let names = classifier.network.configuration.classNames
    let (sampleLabels, realLabels) = (
      try samples.labels(among: names), try real.labels(among: names)
    )
    let network = classifier.network
    let sampleResult = network.examine(samples.squares)
    let realResult = network.examine(real.squares)
    let trainingFeatures = training.map { network.examine($0.squares).features }
    (self.samples, self.real, self.training) = (samples, real, training)
    self.classifier = classifier
    predictedClasses = sampleResult.classes
    classes = ClassTable(
      classNames: names,
      samples: ClassTable.Figures(
        labels: sampleLabels, predicted: sampleResult.classes, classCount: names.count),
      real: ClassTable.Figures(
        labels: realLabels, predicted: realResult.classes, classCount: names.count))
    let equalCounts = EqualCounts(
      samples: (samples.count, sampleLabels), real: (real.count, realLabels))
    distances = try Self.distances(
      sampleResult.features, realResult.features, trainingFeatures, equalCounts)
    inceptionDistances =
      try inception.map { sets throws(SampleEvaluationError) in
        try Self.distances(sets.samples, sets.real, sets.training, equalCounts)
      } ?? []
    copies = training.flatMap { training in
      trainingFeatures.map { features in
        CopyCheck(
          samples: (samples.squares, sampleResult.features),
          real: (real.squares, realResult.features), training: (training.squares, features))
      }
    }
  }

  /// Samples and real pictures, and for comparison real pictures and others.
  private static func distances(
    _ samples: FeatureVectors, _ real: FeatureVectors, _ training: FeatureVectors?,
    _ equalCounts: EqualCounts
  ) throws(SampleEvaluationError) -> [Distance] {
    var distances = [try Distance("samples, real", samples, real)]
    if let training {
      distances.append(try Distance("samples, training", samples, training))
      distances.append(try Distance("training, real", training, real))
    }
    if equalCounts.count >= 2 {
      let halves = equalCounts.halves.map { real.vectors($0) }
      distances.append(
        try Distance("samples, half of real", samples.vectors(equalCounts.samples), halves[0]))
      distances.append(try Distance("two halves of real", halves[0], halves[1]))
    }
    return distances
  }
}
