package import Pipelines

/// The measures of samples for a program: one object.
package struct SampleEvaluationRecord: Encodable {
  private let classifier: ClassifierRecord
  private let distances: [DistanceRecord]
  private let inceptionDistances: [DistanceRecord]?
  private let classes: [ClassRecord]
  private let classShareDifference: Double?
  private let accuracy: Pair
  private let confusions: [ConfusionRecord]
  private let copies: [CopyRecord]
  private let samples: [SampleRecord]
  private let summary: RunSummary

  package init(_ evaluation: SampleEvaluation, summary: RunSummary) {
    let table = evaluation.classes
    let record = evaluation.classifier.record
    classifier = ClassifierRecord(
      sha256: evaluation.classifier.sha256, heldOut: record.heldOutCount,
      heldOutAccuracy: record.heldOutAccuracy)
    distances = evaluation.distances.map(DistanceRecord.init)
    let inception = evaluation.inceptionDistances.map(DistanceRecord.init)
    inceptionDistances = inception.isEmpty ? nil : inception
    classes = table.classNames.indices.map { place in
      ClassRecord(
        name: table.classNames[place], samples: SetRecord(table.samples, place),
        real: SetRecord(table.real, place))
    }
    classShareDifference = table.shareDifference
    accuracy = Pair(samples: table.samples.accuracy, real: table.real.accuracy)
    confusions = [("samples", table.samples), ("real", table.real)].flatMap { name, figures in
      figures.confusions.map {
        ConfusionRecord(
          set: name, name: table.classNames[$0.label], takenFor: table.classNames[$0.taken],
          pictures: $0.count)
      }
    }
    let checks = evaluation.copies
    copies = [("pixels", checks?.pixels), ("features", checks?.features)].compactMap {
      name, measure in
      measure.map { CopyRecord(distance: name, threshold: $0.threshold, copies: $0.copies.count) }
    }
    samples = evaluation.samples.names.indices.map { SampleRecord(evaluation, $0) }
    self.summary = summary
  }

  private struct ClassifierRecord: Encodable {
    let sha256: String
    let heldOut: Int
    let heldOutAccuracy: Double
  }

  private struct DistanceRecord: Encodable {
    let sets: String
    let pictures: [Int]
    let frechet, kid: Double
    let rankDeficient: Bool

    init(_ distance: SampleEvaluation.Distance) {
      (sets, pictures) = (distance.name, distance.counts)
      (frechet, kid) = (distance.frechet, distance.kernel)
      rankDeficient = distance.isRankDeficient
    }
  }

  private struct Pair: Encodable {
    let samples, real: Double?
  }

  /// The figures of a class in a set.
  private struct SetRecord: Encodable {
    let pictures, recognised: Int?
    let seenAs: Int

    init(_ figures: ClassTable.Figures, _ place: Int) {
      (pictures, recognised) = (figures.counts?[place], figures.hits?[place])
      seenAs = figures.predicted[place]
    }
  }

  private struct ClassRecord: Encodable {
    let name: String
    let samples, real: SetRecord
  }

  private struct ConfusionRecord: Encodable {
    let set, name, takenFor: String
    let pictures: Int
  }

  private struct CopyRecord: Encodable {
    let distance: String
    let threshold: Double?
    let copies: Int
  }

  private struct NeighbourRecord: Encodable {
    let picture: String
    let distance: Double
  }

  private struct SampleRecord: Encodable {
    let input: String
    let name: String?
    let seenAs: String
    let nearestByPixels, nearestByFeatures: NeighbourRecord?

    init(_ evaluation: SampleEvaluation, _ index: Int) {
      let set = evaluation.samples
      func neighbour(_ measure: CopyCheck.Measure?) -> NeighbourRecord? {
        guard let found = measure?.neighbours[index], let training = evaluation.training else {
          return nil
        }
        return NeighbourRecord(picture: training.names[found.place], distance: found.distance)
      }
      input = set.names[index]
      name = set.labels.map { set.classNames[$0[index]] }
      seenAs = evaluation.classes.classNames[evaluation.predictedClasses[index]]
      nearestByPixels = neighbour(evaluation.copies?.pixels)
      nearestByFeatures = neighbour(evaluation.copies?.features)
    }

    private enum CodingKeys: String, CodingKey {
      case input, seenAs, nearestByPixels, nearestByFeatures
      case name = "class"
    }
  }
}
