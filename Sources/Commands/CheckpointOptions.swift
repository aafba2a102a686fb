public import ArgumentParser
public import Models

extension AutoencoderFamily: ExpressibleByArgument {}

/// What the files of a model can't tell.
struct CheckpointOptions: ParsableArguments {
  @Option(
    help: "The family of a single checkpoint file, which tells the scaling of latents.")
  var family: AutoencoderFamily?

  @Option(
    help: ArgumentHelp(
      "The variant of a diffusers folder's weights, such as fp16.", valueName: "variant"))
  var variant: String?

  var importOptions: ImportOptions { ImportOptions(variant: variant, family: family) }
}
