public import ArgumentParser
import Foundation
import Models
import Pipelines
import Tensors
public import Training

extension AutoencoderPreset: ExpressibleByArgument {}

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

  @OptionGroup var output: TrainingRunOptions

  @Option(help: "Train a new network of this kind.")
  var preset: AutoencoderPreset?

  @OptionGroup var modelOptions: TrainedModelOptions

  @Option(help: ArgumentHelp("The side of the squares cut from pictures.", valueName: "pixels"))
  var crop: Int?

  @OptionGroup var runOptions: RunOptions

  func validate() throws {
    if preset != nil, modelOptions.model != nil {
      throw ValidationError("--preset is for a new network and --model for one that is there")
    }
  }

  func run() throws {
    var changes = try output.changes(threads: runOptions.threads)
    if let preset { changes.append(("model", preset.rawValue)) }
    if let model = modelOptions.choice(of: ModelChoice.self) {
      changes.append(("model", model.quotedAsJSON))
    }
    if let crop { changes.append(("data.crop", "\(crop)")) }
    let settings = try output.settings(TrainingSettings.self, replacing: changes)
    let run = AutoencoderTrainingRun(data: data, folder: output.folder, settings: settings)
    try runOptions.train(in: output.folder, settings) { try run(with: $0, stop: $1, report: $2) }
  }
}
