import ArgumentParser
import Foundation
import Pipelines
import Training

struct ClassifierTrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "classifier-train",
    abstract: "Train a small classifier on pictures, to measure samples with.",
    usage: "lvae classifier-train <pictures> -o <model> [<options>]",
    discussion: """
      The folders that the pictures lie in are their classes. Pictures become squares of 64 pixels a \
      side, over white; convolutions of stride 2 with norms over groups make features of them, whose \
      mean over the positions tells the class. The loss is the cross-entropy, −ln softmax(x)ₖ for \
      the class k; the optimiser AdamW, with a rate that falls along half a cosine. One picture in \
      five, chosen by a hash of its name, is held out and tells how good the classifier is; \
      `config.json` says it. A seed fixes the result. A run takes minutes and isn't resumed: it \
      writes in the end only.
      """)

  @Argument(help: "A folder of pictures, with all that is below it.")
  var pictures: String

  @Option(
    name: [.short, .customLong("output")],
    help: ArgumentHelp(
      "The folder for the classifier; one that is there is replaced.", valueName: "model"))
  var output: String

  @Option(help: ArgumentHelp("How many steps are made.", valueName: "n"))
  var steps = ClassifierTraining.Settings().steps

  @Option(help: ArgumentHelp("Pictures in a batch.", valueName: "n"))
  var batchSize = ClassifierTraining.Settings().batchSize

  @Option(help: ArgumentHelp("The greatest learning rate.", valueName: "rate"))
  var learningRate = ClassifierTraining.Settings().learningRate

  @Option(help: ArgumentHelp("Fixes first weights and batches.", valueName: "n"))
  var seed = ClassifierTraining.Settings().seed

  @Flag(
    inversion: .prefixedNo,
    help: "Mirror half of the pictures; not for classes that differ by that, such as digits.")
  var flips = true

  @Option(
    help: ArgumentHelp(
      "Where classes are found: folders, or a CSV file of names and classes.", valueName: "labels"))
  var labels: LatentSet.Labels = .folders

  @OptionGroup var runOptions: RunOptions

  func validate() throws {
    guard (1...10_000_000).contains(steps) else {
      throw ValidationError("--steps \(steps): a number from 1 is expected")
    }
    guard (1...4096).contains(batchSize) else {
      throw ValidationError("--batch-size \(batchSize): a number from 1 to 4096 is expected")
    }
    guard learningRate > 0, learningRate.isFinite else {
      throw ValidationError("--learning-rate \(learningRate): a number above 0 is expected")
    }
  }

  /// What a line of JSON says.
  private struct Record: Encodable {
    let sha256: String
    let classes: [String]
    let pictures, heldOut, steps: Int
    let accuracy, heldOutAccuracy, seconds: Double
  }

  func run() throws {
    let folder = URL(filePath: output, directoryHint: .isDirectory)
    try TrainedClassifier.checkFolder(folder)
    let start = ContinuousClock.now
    let command = FileCommand(label: "classifier-train", verb: "read", options: runOptions)
    let read = try SquareReading(command: command, side: 64)([.init(path: pictures, labels: labels)]
    )
    var settings = ClassifierTraining.Settings()
    (settings.steps, settings.batchSize, settings.learningRate) = (steps, batchSize, learningRate)
    (settings.flips, settings.seed) = (flips, seed)
    let training = try ClassifierTraining(read.sets[0], settings: settings)
    let display = TrainingDisplay(isQuiet: runOptions.quiet, isJSON: false)
    let classifier = try runOptions.withThreads {
      try training { display.show(.progress($0)) }
    }
    display.clear()
    try classifier.save(to: folder)
    try show(classifier, seconds: (ContinuousClock.now - start) / .seconds(1))
    try command.conclude(read.summary)
  }

  private func show(_ classifier: TrainedClassifier, seconds: Double) throws {
    let record = classifier.record
    if runOptions.json {
      print(
        try JSONLines.line(
          Record(
            sha256: classifier.sha256, classes: classifier.network.configuration.classNames,
            pictures: record.trainingCount, heldOut: record.heldOutCount, steps: record.steps,
            accuracy: record.trainingAccuracy, heldOutAccuracy: record.heldOutAccuracy,
            seconds: seconds)))
    } else if !runOptions.quiet {
      let (own, heldOut) = (
        (100 * record.trainingAccuracy).text(digits: 1),
        (100 * record.heldOutAccuracy).text(digits: 1)
      )
      print(
        """
        \(output): tells \(heldOut) % of \(record.heldOutCount) held-out pictures and \(own) % of \
        the \(record.trainingCount) it was trained with; \
        \(classifier.network.configuration.classNames.count) classes, \
        \(seconds.text(digits: 1)) s
        """)
    }
  }
}
