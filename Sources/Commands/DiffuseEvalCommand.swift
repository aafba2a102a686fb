import ArgumentParser
import Foundation
import Images
import Pipelines
import Training

struct DiffuseEvalCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diffuse-eval",
    abstract: "Measure samples: how far from real pictures, of which class, and whether copies.",
    usage: "lvae diffuse-eval <samples> --real <folder> --classifier <model> [<options>]",
    discussion: """
      Samples and real pictures, best such as the generator hasn't seen, become squares of the \
      classifier's size, over white, and their features are compared: what stands before its last \
      layer. `lvae classifier-train` makes a classifier from pictures of the same kind. Figures of \
      one classifier can be compared with each other, and with no other network's. The FID of \
      articles is about Inception's features: --inception computes it, too, with weights that you \
      bring, such as pytorch-fid's.

      Fréchet: ‖μ₁ − μ₂‖² + tr(Σ₁ + Σ₂ − 2(Σ₁Σ₂)^½), the distance of normal distributions with the \
      means μ and covariances Σ of the features (Heusel et al. 2017, arXiv:1706.08500, equation 6). \
      It grows where pictures are few.
      KID: Σ k(xᵢ, xⱼ)/m(m − 1) + Σ k(yᵢ, yⱼ)/n(n − 1) − 2 Σ k(xᵢ, yⱼ)/mn, the first two over i ≠ j, \
      with k(x, y) = (xᵀy/d + 1)³ and d features (Bińkowski et al. 2018, arXiv:1801.01401); 0 in the \
      mean where there is no difference, and so below 0 at times.
      For comparison: the two halves of the real pictures, every other one of each class, and as many \
      samples and one of the halves, so that all three sets have equal counts; and with --training, \
      training and real pictures. Where classes come in other shares among samples, that adds to the \
      distance: `lvae diffuse-sample --class` takes shares, and they are told then.

      recognised: the part of a class's pictures that the classifier takes for that class; of real \
      pictures too, which good samples come near to.

      With --training, the nearest training picture of each sample, by pixels (root mean square over \
      red, green and blue, 0…255) and by features (Euclidean). A sample is called a copy if it is \
      nearer than 99 % of the real pictures are to their nearest training picture (with fewer than \
      100 real pictures: than all); pairs that are equal pixel by pixel are left aside there, so \
      that the real pictures may be the training pictures too.
      """)

  @Argument(help: "A folder of samples; folders in it are their classes.")
  var samples: String

  @Option(help: ArgumentHelp("A folder of real pictures.", valueName: "folder"))
  var real: String

  @Option(
    help: ArgumentHelp("A classifier, as `lvae classifier-train` writes it.", valueName: "model"))
  var classifier: String

  @Option(
    help: ArgumentHelp("The pictures that the generator was trained with.", valueName: "folder"))
  var training: String?

  @Option(
    help: ArgumentHelp(
      "Weights of Inception v3 (.pth or .safetensors), for the FID of articles.",
      valueName: "file"))
  var inception: String?

  @Option(
    help: ArgumentHelp(
      "Where the classes of samples are found: folders, none, or a CSV file of names and classes.",
      valueName: "labels"))
  var labels: LatentSet.Labels = .folders

  @Option(help: ArgumentHelp("The same for the real pictures.", valueName: "labels"))
  var realLabels: LatentSet.Labels = .folders

  @OptionGroup var reportOptions: ReportOptions

  func run() throws {
    let classifier = try TrainedClassifier(
      contentsOf: URL(filePath: classifier, directoryHint: .isDirectory))
    let inception = try inception.map { try InceptionFeatures(contentsOf: URL(filePath: $0)) }
    try reportOptions.checkPath()
    let command = FileCommand(label: "diffuse-eval", verb: "read", options: reportOptions.run)
    var folders: [SquareReading.Folder] = [
      .init(path: samples, labels: labels), .init(path: real, labels: realLabels),
    ]
    if let training { folders.append(.init(path: training, labels: .none)) }
    let read = try SquareReading(
      command: command, side: classifier.network.configuration.side)(folders)
    let evaluation = try reportOptions.run.withThreads {
      try SampleEvaluation(
        samples: read.sets[0], real: read.sets[1],
        training: read.sets.count > 2 ? read.sets[2] : nil, classifier: classifier,
        inception: try inception.map { try features(of: read.sets, by: $0) })
    }
    let page = SampleEvaluationReport(evaluation, failures: read.summary.failures)
    print(
      reportOptions.json
        ? try JSONLines.line(SampleEvaluationRecord(evaluation, summary: read.summary)) : page.text)
    fflush(nil)
    if let report = reportOptions.report { try page.write(to: report) }
    try command.conclude(read.summary)
  }

  /// Inception's features of all sets, from the pictures as they are.
  private func features(
    of sets: [SquarePictures], by inception: InceptionFeatures
  ) throws -> SampleEvaluation.InceptionSets {
    let features = try sets.map { set in
      if !reportOptions.quiet {
        StandardError.write("Inception's features of \(set.count) pictures: \(set.path)")
      }
      return try inception.features(count: set.count) { index in
        let url = URL(filePath: set.path).appending(path: set.names[index])
        return try Image(contentsOf: url)
      }
    }
    return SampleEvaluation.InceptionSets(
      samples: features[0], real: features[1], training: features.count > 2 ? features[2] : nil)
  }
}
