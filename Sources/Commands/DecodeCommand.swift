import ArgumentParser
import Foundation
import Images
import LatentFiles
import Models
import Pipelines
import Tensors

struct DecodeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "decode",
    abstract: "Decode .latent files to pictures.",
    usage: "lvae decode [<options>] <inputs> ...",
    discussion: """
      Each file names the weights that it was made with. They are taken from --model, which must \
      be those, or found among the models of `lvae models list`. Running the same command again \
      continues where it was stopped. Tars that are named become tars, as with encode: .latent \
      members become pictures, and the others are carried along; - is a tar from standard input.
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable {
    case png, jpg, webp

    var extensions: [String] { self == .jpg ? ["jpg", "jpeg"] : [rawValue] }
  }

  @OptionGroup var input: InputOptions
  @OptionGroup var modelOptions: ModelOptions
  @OptionGroup var memoryOptions: MemoryOptions
  @OptionGroup var attentionOptions: AttentionOptions
  @OptionGroup var runOptions: RunOptions
  @OptionGroup(title: "Sharing the work") var shardOptions: ShardOptions

  @Option(help: "The format of the pictures; without it, the extension of --output, or png.")
  var format: Format?

  @Option(help: ArgumentHelp("The quality of JPEG and WebP, 1 to 100.", valueName: "q"))
  var quality = 90

  func validate() throws {
    if !(1...100).contains(quality) {
      throw ValidationError("--quality \(quality): a number from 1 to 100 is expected")
    }
    if let format, let named = formatOfOutput, named != format {
      throw ValidationError(
        "--format \(format.rawValue) and the name \(input.output ?? "") contradict each other; "
          + "leave one out")
    }
  }

  /// The format of the one picture that `--output` names; nil where it names a folder.
  private var formatOfOutput: Format? {
    guard let output = input.output else { return nil }
    return Format.allCases.first { OutputPlan.namesFile(output, extensions: $0.extensions) }
  }

  /// The format that the options ask for.
  private var chosenFormat: Format { format ?? formatOfOutput ?? .png }

  func run() throws {
    let tars = try TarArguments(input, runOptions)
    let given = try givenModel()
    let attention = attentionOptions.attention
    let decoding = LatentDecoding(
      models: LatentModels(
        store: ModelStore(), given: given, memory: memoryOptions.limit,
        attentionWindow: attention.window),
      format: chosenFormat, quality: quality, attention: attention)
    let model = given.map { ManifestHead.Model(name: $0.name, sha256: $0.sha256) }
    let command = FileCommand(
      label: "decode", verb: "decoded", options: runOptions, memory: memoryOptions.limit)
    if let tars {
      try TarRun(command: command, arguments: tars, force: input.force, work: decoding.members)
        .run(shardOptions, model: model, settings: decoding.settings)
      return
    }
    let list = try InputWalker.expand(input.inputs, extensions: ["latent"])
    let plan = try OutputPlan(
      for: list.files, inputExtensions: ["latent"], output: input.output,
      outputExtensions: decoding.format.extensions)
    let sharing = ShardedRun(
      command: command, options: shardOptions, input: input, files: plan.files,
      failures: list.failures, model: model, settings: decoding.settings,
      outputExtensions: decoding.format.extensions)
    try sharing.run(decoding.job, hashes: decoding.hashes)
  }

  private func givenModel() throws -> PretrainedAutoencoder? {
    try modelOptions.model.map { try ModelStore().load($0, halves: .decoder) }
  }
}
