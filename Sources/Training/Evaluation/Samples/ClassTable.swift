/// What a classifier says about the classes of samples and of real pictures.
public struct ClassTable: Sendable {
  /// The figures of one set of pictures.
  public struct Figures: Sendable {
    /// How many pictures should be of each class; nil without classes.
    public let counts: [Int]?
    /// How many of these the classifier takes for it; nil without classes.
    public let hits: [Int]?
    /// How many pictures the classifier takes for each class.
    public let predicted: [Int]
    /// How often pictures of a class are taken for another, the most frequent first.
    public let confusions: [Confusion]

    init(labels: [Int]?, predicted classes: [Int], classCount: Int) {
      var predicted = [Int](repeating: 0, count: classCount)
      for place in classes { predicted[place] += 1 }
      self.predicted = predicted
      guard let labels else {
        (counts, hits, confusions) = (nil, nil, [])
        return
      }
      var pairs = [Int](repeating: 0, count: classCount * classCount)
      for (label, place) in zip(labels, classes) { pairs[label * classCount + place] += 1 }
      counts = (0..<classCount).map { pairs[$0 * classCount..<($0 + 1) * classCount].reduce(0, +) }
      hits = (0..<classCount).map { pairs[$0 * classCount + $0] }
      confusions = pairs.indices.compactMap { index in
        let (label, place) = index.quotientAndRemainder(dividingBy: classCount)
        guard pairs[index] > 0, label != place else { return nil }
        return Confusion(label: label, taken: place, count: pairs[index])
      }.sorted { ($1.count, $0.label, $0.taken) < ($0.count, $1.label, $1.taken) }
    }

    /// The part of all pictures whose class is told, 0…1; nil without classes.
    public var accuracy: Double? {
      guard let counts, let hits else { return nil }
      let all = counts.reduce(0, +)
      return all > 0 ? Double(hits.reduce(0, +)) / Double(all) : nil
    }

    /// The part of the pictures of a class that is told, 0…1; nil where there are none.
    public func accuracy(ofClass place: Int) -> Double? {
      guard let counts, let hits, counts[place] > 0 else { return nil }
      return Double(hits[place]) / Double(counts[place])
    }
  }

  /// How often one class is taken for another.
  public struct Confusion: Hashable, Sendable {
    /// The class that the pictures should be of.
    public let label: Int
    /// The class that the classifier sees.
    public let taken: Int
    /// How many pictures.
    public let count: Int
  }

  /// The classes.
  public let classNames: [String]
  /// Of the samples.
  public let samples: Figures
  /// Of the real pictures.
  public let real: Figures

  /// How far the shares of classes among samples are from those among real pictures: half of the sum
  /// of the differences, 0…1; nil where either has no classes.
  public var shareDifference: Double? {
    guard let samples = samples.shares, let real = real.shares else { return nil }
    return zip(samples, real).reduce(0) { $0 + abs($1.0 - $1.1) } / 2
  }

  /// Classes with their counts among real pictures, as `lvae diffuse-sample --class` takes them; nil
  /// without classes.
  public var realShares: String? {
    guard let counts = real.counts else { return nil }
    return zip(classNames, counts).filter { $0.1 > 0 }.map { "\($0.0):\($0.1)" }
      .joined(separator: ",")
  }
}

extension ClassTable.Figures {
  /// The part of all pictures that should be of each class; nil without classes or pictures.
  fileprivate var shares: [Double]? {
    guard let counts else { return nil }
    let all = Double(counts.reduce(0, +))
    return all > 0 ? counts.map { Double($0) / all } : nil
  }
}
