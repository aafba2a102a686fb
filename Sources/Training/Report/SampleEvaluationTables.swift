import Pipelines

/// The tables about samples.
struct SampleEvaluationTables {
  let evaluation: SampleEvaluation

  var all: [ReportTable] {
    [distances] + [inceptionDistances].compactMap { $0 } + [classes]
      + [confusions, copies, nearest].compactMap { $0 }
  }

  private var distances: ReportTable {
    table(
      of: evaluation.distances, title: "distances of features",
      note:
        "Figures of one classifier can be compared with each other, and with no other network's. ",
      featureCount: evaluation.classifier.network.configuration.featureCount)
  }

  private var inceptionDistances: ReportTable? {
    guard !evaluation.inceptionDistances.isEmpty else { return nil }
    return table(
      of: evaluation.inceptionDistances, title: "distances of Inception's features (FID)",
      note: "With the usual weights, Fréchet's distance here is the FID of articles. ",
      featureCount: InceptionNetwork.featureCount)
  }

  private func table(
    of distances: [SampleEvaluation.Distance], title: String, note: String, featureCount: Int
  ) -> ReportTable {
    var table = ReportTable(
      title: title, columns: ["sets", "pictures", "Fréchet", "KID · 1000"], textColumns: [0])
    table.rows = distances.map { distance in
      [
        distance.name, distance.counts.map(String.init).joined(separator: ", "),
        distance.frechet.significantText, (1000 * distance.kernel).significantText,
      ]
    }
    table.note =
      note + "Fréchet's distance grows where pictures are few: compare the last two, which are "
      + "between equal counts."
    if distances.contains(where: \.isRankDeficient) {
      table.note +=
        " Covariances of \(featureCount) features from fewer than \(featureCount + 1) pictures "
        + "haven't full rank, which makes the distance larger still."
    }
    if let difference = evaluation.classes.shareDifference, difference > Self.likeShares,
      let shares = evaluation.classes.realShares
    {
      table.note +=
        " The shares of classes among samples aren't those among real pictures, which makes the "
        + "distance larger, too: draw samples with --class \"\(shares)\"."
    }
    return table
  }

  /// The greatest difference of shares that is as good as none.
  private static let likeShares = 0.05

  // MARK: Classes

  private var classes: ReportTable {
    let table = evaluation.classes
    var result = ReportTable(
      title: "classes",
      columns: [
        "class", "real", "recognised", "seen as", "samples", "recognised", "seen as",
      ], textColumns: [0])
    result.rows = table.classNames.indices.map { place in
      [table.classNames[place]]
        + [table.real, table.samples].flatMap { figures in
          [
            figures.counts.map { "\($0[place])" } ?? "—",
            Self.percent(figures.accuracy(ofClass: place)), "\(figures.predicted[place])",
          ]
        }
    }
    result.lastRow =
      ["all"]
      + [table.real, table.samples].flatMap { figures in
        [
          figures.counts.map { "\($0.reduce(0, +))" } ?? "—", Self.percent(figures.accuracy),
          "\(figures.predicted.reduce(0, +))",
        ]
      }
    result.note =
      "recognised: the part of a class's pictures that the classifier takes for it; seen as: how "
      + "many of all pictures it takes for the class."
    return result
  }

  private static let confusionLimit = 10

  private var confusions: ReportTable? {
    let table = evaluation.classes
    let found =
      [("samples", table.samples), ("real", table.real)].flatMap { name, figures in
        figures.confusions.prefix(Self.confusionLimit).map { confusion in
          [
            name, table.classNames[confusion.label], table.classNames[confusion.taken],
            "\(confusion.count)",
          ]
        }
      }
    guard !found.isEmpty else { return nil }
    var result = ReportTable(
      title: "taken for another class", columns: ["set", "class", "taken for", "pictures"],
      textColumns: [0, 1, 2])
    result.rows = found
    return result
  }

  // MARK: Copies

  private var copies: ReportTable? {
    guard let copies = evaluation.copies else { return nil }
    var table = ReportTable(
      title: "nearest training pictures",
      columns: [
        "distance", "samples: least", "median", "real: least", "median", "copy below", "copies",
      ], textColumns: [0])
    table.rows = [("pixels", copies.pixels), ("features", copies.features)].map { name, measure in
      let sorted = measure.neighbours.map(\.distance).sorted()
      return [name]
        + [sorted, measure.realDistances].flatMap { distances in
          [Self.text(distances.first), Self.text(Self.median(distances))]
        } + [Self.text(measure.threshold), "\(measure.copies.count)"]
    }
    table.note =
      "pixels: root mean square over red, green and blue, 0…255. A sample is called a copy if it is "
      + "nearer to a training picture than 99 % of the real pictures are to another picture of the "
      + "training set."
    return table
  }

  private static let pairLimit = 10

  private var nearest: ReportTable? {
    guard let copies = evaluation.copies, let training = evaluation.training else { return nil }
    var table = ReportTable(
      title: "samples nearest to training pictures by pixels",
      columns: ["pixels", "features", "sample", "training picture"], textColumns: [2, 3])
    table.rows = copies.pixels.nearestFirst.prefix(Self.pairLimit).map { place in
      let neighbour = copies.pixels.neighbours[place]
      return [
        neighbour.distance.significantText,
        copies.features.neighbours[place].distance.significantText,
        evaluation.samples.names[place], training.names[neighbour.place],
      ]
    }
    return table
  }

  // MARK: Numbers

  private static func percent(_ part: Double?) -> String {
    part.map { (100 * $0).text(digits: 1) + " %" } ?? "—"
  }

  private static func text(_ number: Double?) -> String { number?.significantText ?? "—" }

  /// The number in the middle of sorted ones.
  private static func median(_ sorted: [Double]) -> Double? {
    sorted.isEmpty ? nil : sorted[sorted.count / 2]
  }
}
