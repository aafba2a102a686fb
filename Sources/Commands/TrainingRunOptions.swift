import ArgumentParser
import Foundation
import Pipelines
import Tensors
import Training

/// What `train` and `diffuse-train` have in common: where a run lies, and what its settings are.
struct TrainingRunOptions: ParsableArguments {
  @Option(
    name: [.short, .customLong("output")],
    help: ArgumentHelp("The folder of the model and the run.", valueName: "model"))
  var output: String

  @Option(help: ArgumentHelp("A file with settings in JSON.", valueName: "run.json"))
  var config: String?

  @Option(help: ArgumentHelp("How many steps are made.", valueName: "n"))
  var steps: Int?

  @Option(help: ArgumentHelp("Examples in a batch.", valueName: "n"))
  var batchSize: Int?

  @Option(help: ArgumentHelp("The greatest learning rate.", valueName: "rate"))
  var learningRate: Double?

  @Option(help: ArgumentHelp("Fixes first weights, batches and noise.", valueName: "n"))
  var seed: UInt64?

  @Option(
    help: ArgumentHelp(
      "Replace any setting: optimizer.beta2=0.999. May be given several times.",
      valueName: "key=value"))
  var set: [String] = []

  func validate() throws {
    for setting in set where !setting.contains("=") {
      throw ValidationError("--set \(setting): key=value is expected")
    }
  }

  /// The run's folder.
  var folder: RunFolder { RunFolder(path: output) }

  /// What the options replace, as `--set` would.
  func changes(threads: Int?) throws -> [(path: String, text: String)] {
    var changes = set.map { setting in
      let parts = setting.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      return (path: String(parts[0]), text: String(parts[1]))
    }
    func add(_ key: String, _ value: (some CustomStringConvertible)?) {
      if let value { changes.append((key, "\(value)")) }
    }
    add("train.steps", steps)
    add("train.seed", seed)
    add("train.threads", threads)
    add("data.batch_size", batchSize)
    add("optimizer.learning_rate", learningRate)
    return changes
  }

  /// The settings of the file, or of the run that the folder holds, with some replaced.
  func settings<Settings: RunConfiguration>(
    _: Settings.Type, replacing changes: [(path: String, text: String)]
  ) throws -> Settings {
    var settings = Settings()
    if let config {
      settings = try Settings(contentsOf: URL(filePath: config))
    } else if folder.holdsRun {
      settings = try Settings(contentsOf: URL(filePath: folder.settingsPath))
    }
    return try settings.replacing(changes)
  }
}

extension RunOptions {
  /// What makes a run, with the processes that make it together.
  typealias Training = (
    _ processes: ProcessGroup, _ stop: @escaping @Sendable () -> Bool,
    _ report: @escaping @Sendable (TrainingEvent) -> Void
  ) throws -> TrainingEnd

  /// Makes a run, together with other processes if MPI started some.
  func train(
    in folder: RunFolder, _ settings: some RunConfiguration, run: Training
  ) throws {
    let processes = try ProcessGroup.joined()
    do {
      try train(with: processes, in: folder, settings, run: run)
      processes.leave()
    } catch let error as StatusError {
      processes.leave()
      throw error
    } catch  where processes.count > 1 {
      // The others would wait for this process for ever.
      StandardError.write("lvae: process \(processes.rank + 1) of \(processes.count): \(error)")
      processes.abort(status: LVAECommand.status(of: error).code)
    }
  }

  /// Makes a run, shows it, and ends it when it is interrupted.
  private func train(
    with processes: ProcessGroup, in folder: RunFolder, _ settings: some RunConfiguration,
    run: Training
  ) throws {
    let pool = ThreadPool(
      threadCount: settings.train.threads > 0
        ? settings.train.threads : processes.threadCount(of: ThreadPool.shared.threadCount))
    let isSilent = quiet || !processes.isFirst
    let display = TrainingDisplay(isQuiet: isSilent, isJSON: json && processes.isFirst)
    if !isSilent { StandardError.write(settings.text) }
    if processes.count > 1 {
      display.message(
        "\(processes.count) processes, \(processes.localCount) of them on this machine, each with "
          + "\(pool.threadCount) threads")
    }
    let interruption = Interruption(notify: { _ in
      display.message("stopping after the step in hand; once more to stop at once")
    })
    let stop = interruption.stop
    let end = try ThreadPool.$current.withValue(pool) {
      try run(processes, { stop.isSet }, display.show)
    }
    display.clear()
    switch end {
    case .finished:
      display.message("trained: \(folder.path); report: \(folder.reportPath)")
    case .wasFinished:
      display.message(
        "\(folder.path) was finished before, after \(settings.train.steps) steps; give more "
          + "--steps to go on, or another folder with -o")
    case .stopped(let step):
      display.message("stopped after step \(step); the same command goes on from there")
      throw StatusError(status: .interrupted(signal: interruption.signalNumber ?? SIGINT))
    }
  }
}
