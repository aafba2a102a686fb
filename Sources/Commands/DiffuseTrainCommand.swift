public import ArgumentParser
import Foundation
import Pipelines
import Tensors
public import Training

extension DenoiserPreset: ExpressibleByArgument {}

struct DiffuseTrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diffuse-train",
    abstract: "Train a denoiser on latents, to draw new pictures with.",
    usage: "lvae diffuse-train <latents> ... -o <model> [<options>]",
    discussion: """
      The latents are .latent files of one autoencoder and one size, as `lvae encode --size` makes \
      them, in folders or in plain tars (WebDataset's shards); the folders that they lie in, or \
      .cls members of the tars, are their classes. Writes a pipeline's folder (vae, unet, \
      scheduler, model_index.json) for `lvae diffuse-sample`, with all that belongs to the run, \
      and goes on where it was stopped, as `lvae train` does.

      Settings come from the file --config, or from the run that the folder holds; --set and the \
      options replace some of them. All are printed at the start.

      """ + DiffusionSettings.explanation)

  @Argument(help: "Folders of .latent files and .tar shards, with all that is below them.")
  var latents: [String]

  @OptionGroup var output: TrainingRunOptions

  @Option(help: "Train a new denoiser of this size.")
  var preset: DenoiserPreset?

  @OptionGroup var modelOptions: TrainedModelOptions

  @Option(
    help: ArgumentHelp(
      "Where classes are found: folders, none, or a CSV file of names and classes.",
      valueName: "labels"))
  var labels: LatentSet.Labels?

  @OptionGroup var runOptions: RunOptions

  func validate() throws {
    if preset != nil, modelOptions.model != nil {
      throw ValidationError("--preset is for a new denoiser and --model for one that is there")
    }
  }

  func run() throws {
    let folder = output.folder
    var changes = try output.changes(threads: runOptions.threads)
    if let preset { changes.append(("model", preset.rawValue)) }
    if let model = modelOptions.choice(of: DenoiserChoice.self) {
      changes.append(("model", model.quotedAsJSON))
    }
    if let labels { changes.append(("data.labels", labels.text.quotedAsJSON)) }
    let settings = try output.settings(DiffusionSettings.self, replacing: changes)
    let run = DiffusionTrainingRun(data: latents, folder: folder, settings: settings)
    try runOptions.train(in: folder, settings) { try run(with: $0, stop: $1, report: $2) }
  }
}

extension LatentSet.Labels: ExpressibleByArgument {
  /// From `folders`, `none` or the name of a CSV file; nil for anything else.
  public init?(argument: String) { self.init(argument) }
}
