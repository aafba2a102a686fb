public import ArgumentParser
import Foundation
import Models
import Pipelines
import Tensors
public import Training

extension ModelChoice.Preset: ExpressibleByArgument {}

struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train an autoencoder on pictures.",
    usage: "lvae train <data> -o <model> [<options>]",
    discussion: """
      Writes a model folder that diffusers loads, too, with all that belongs to the run: its \
      settings, checkpoints, log, samples, and training/report.html, a page that follows the run \
      in a browser. Stopped or killed at any moment, the same command goes on, and ends with the \
      same weights as if it had never stopped; on a finished run it does nothing.

      Settings come from the file --config, or from the run that the folder holds; --set and the \
      options replace some of them. All are printed at the start.

      """ + TrainingSettings.explanation)

  @Argument(help: "A folder of pictures, with all that is below it, or an IDX file (MNIST's).")
  var data: String

  @Option(
    name: [.short, .customLong("output")],
    help: ArgumentHelp("The folder of the model and the run.", valueName: "model"))
  var output: String

  @Option(help: ArgumentHelp("A file with settings in JSON.", valueName: "run.json"))
  var config: String?

  @Option(help: "Train a new network of this kind.")
  var preset: ModelChoice.Preset?

  @OptionGroup var modelOptions: TrainedModelOptions

  @Option(help: ArgumentHelp("How many steps are made.", valueName: "n"))
  var steps: Int?

  @Option(help: ArgumentHelp("Squares in a batch.", valueName: "n"))
  var batchSize: Int?

  @Option(help: ArgumentHelp("The side of the squares cut from pictures.", valueName: "pixels"))
  var crop: Int?

  @Option(help: ArgumentHelp("The greatest learning rate.", valueName: "rate"))
  var learningRate: Double?

  @Option(help: ArgumentHelp("Fixes first weights, batches and noise.", valueName: "n"))
  var seed: UInt64?

  @Option(
    help: ArgumentHelp(
      "Replace any setting: objective.kl_weight=1e-5. May be given several times.",
      valueName: "key=value"))
  var set: [String] = []

  @OptionGroup var runOptions: RunOptions

  func validate() throws {
    if preset != nil, modelOptions.model != nil {
      throw ValidationError("--preset is for a new network and --model for one that is there")
    }
    for setting in set where !setting.contains("=") {
      throw ValidationError("--set \(setting): key=value is expected")
    }
  }

  func run() throws {
    let folder = RunFolder(path: output)
    let settings = try settings(for: folder)
    let pool = ThreadPool(
      threadCount: settings.train.threads > 0
        ? settings.train.threads : ThreadPool.shared.threadCount)
    try ThreadPool.$current.withValue(pool) {
      try train(AutoencoderTrainingRun(data: data, folder: folder, settings: settings))
    }
  }

  private func settings(for folder: RunFolder) throws -> TrainingSettings {
    var settings = TrainingSettings()
    if let config {
      settings = try TrainingSettings(contentsOf: URL(filePath: config))
    } else if folder.holdsRun {
      settings = try TrainingSettings(contentsOf: URL(filePath: folder.settingsPath))
    }
    return try settings.replacing(try changes())
  }

  /// What the options replace, as `--set` would.
  private func changes() throws -> [(path: String, text: String)] {
    var changes = set.map { setting in
      let parts = setting.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      return (path: String(parts[0]), text: String(parts[1]))
    }
    func add(_ key: String, _ value: (some CustomStringConvertible)?) {
      if let value { changes.append((key, "\(value)")) }
    }
    add("model", preset?.rawValue)
    add("model", try modelOptions.path()?.quotedAsJSON)
    add("train.steps", steps)
    add("train.seed", seed)
    add("train.threads", runOptions.threads)
    add("data.batch_size", batchSize)
    add("data.crop", crop)
    add("optimizer.learning_rate", learningRate)
    return changes
  }

  private func train(_ run: AutoencoderTrainingRun) throws {
    let display = TrainingDisplay(isQuiet: runOptions.quiet, isJSON: runOptions.json)
    if !runOptions.quiet { StandardError.write(run.settings.text) }
    let interruption = Interruption(notify: { _ in
      display.message("stopping after the step in hand; once more to stop at once")
    })
    let stop = interruption.stop
    let end = try run(stop: { stop.isSet }, report: display.show)
    display.clear()
    switch end {
    case .finished:
      display.message("trained: \(run.folder.path); report: \(run.folder.reportPath)")
    case .wasFinished:
      display.message(
        "\(run.folder.path) was finished before, after \(run.settings.train.steps) steps; give more "
          + "--steps to go on, or another folder with -o")
    case .stopped(let step):
      display.message("stopped after step \(step); the same command goes on from there")
      throw StatusError(status: .interrupted(signal: interruption.signalNumber ?? SIGINT))
    }
  }
}

/// Which autoencoder is trained further.
struct TrainedModelOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Train this further: a name from `lvae models list`, or a model's path.",
      valueName: "name|path"))
  var model: String?

  /// The model's path, with a slash in it.
  func path() throws -> String? {
    guard let model else { return nil }
    if model.contains("/") { return model }
    if FileManager.default.fileExists(atPath: model) { return "./\(model)" }
    let store = ModelStore()
    guard store.entry(named: model) != nil else { return "./\(model)" }
    return store.url(of: model).path
  }
}
