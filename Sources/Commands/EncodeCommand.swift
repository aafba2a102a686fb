public import ArgumentParser
import Foundation
import Images
import LatentFiles
import Models
public import Pipelines
import Tensors

struct EncodeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "encode",
    abstract: "Encode pictures as .latent files.",
    usage: "lvae encode [<options>] <inputs> ...",
    discussion: """
      Reads PNG, JPEG and WebP, applies orientation and colour profiles, and keeps grey pictures \
      grey. Running the same command again continues where it was stopped: a .latent file that was \
      made from the same picture with the same model and settings is left as it is.

      Tars that are named (WebDataset's shards: shard-{0000..0099}.tar; plain or compressed) become \
      tars: their pictures become .latent members, and all other members are carried along byte for \
      byte and in order. - is a tar from standard input, and goes to standard output unless -o is \
      given. Of a picture that can't be encoded, the whole sample (members in a row with one stem) is \
      left out, and listed. Of a tar that is cut off, what is whole is kept. A folder is searched for \
      pictures, not for tars.
      """)

  @OptionGroup var input: InputOptions
  @OptionGroup var modelOptions: ModelOptions
  @OptionGroup var memoryOptions: MemoryOptions
  @OptionGroup var attentionOptions: AttentionOptions
  @OptionGroup var runOptions: RunOptions

  @Option(help: "How numbers are stored.")
  var storage = LatentStorage.int8

  @Option(
    help: ArgumentHelp(
      "The smallest storage that costs at most so many decibels of PSNR is chosen for each picture.",
      valueName: "dB"))
  var maxLoss: Double?

  @Option(help: "What of the encoder's distribution is stored.")
  var posterior = LatentMetadata.Values.mean

  @Option(help: "The seed of the noise, for --posterior sample; each picture has its own stream.")
  var seed: UInt64 = 0

  @Option(
    help: ArgumentHelp(
      "Keep opacity losslessly beside the latent, or blend the picture over a colour.",
      valueName: "keep|flatten=#rrggbb"))
  var alpha = AlphaArgument(policy: .keep)

  @Option(
    help: ArgumentHelp(
      "Bring all pictures to this size first: 512, or 768x512. Their middle is cut out and resized.",
      valueName: "pixels"))
  var size: PicturePreparation.Size?

  @Flag(help: "Mirror pictures left to right, for more to train with.")
  var mirror = false

  @Flag(
    inversion: .prefixedNo,
    help: "Store a projection to colours, from which thumbnails are drawn without the model.")
  var preview = true

  @OptionGroup(title: "Sharing the work") var shardOptions: ShardOptions

  func validate() throws {
    if let maxLoss, !(maxLoss > 0 && maxLoss.isFinite) {
      throw ValidationError("--max-loss \(maxLoss): a number of decibels above 0 is expected")
    }
  }

  func run() throws {
    let tars = try TarArguments(input, runOptions)
    // The search for the best storage decodes what it tries.
    var model = try ModelStore().load(
      modelOptions.model, halves: maxLoss == nil ? .encoder : .both)
    let attention = attentionOptions.attention
    model.attentionWindow = attention.window
    let codec = LatentCodec(model, memory: memoryOptions.limit)
    let options = EncodingOptions(
      storage: storage, values: posterior, seed: seed, alpha: alpha.policy, maximumLoss: maxLoss,
      includesPreview: preview, preparation: PicturePreparation(size: size, mirrors: mirror))
    try codec.check(options)
    let encoding = PictureEncoding(codec: codec, options: options, attention: attention)
    let command = FileCommand(
      label: "encode", verb: "encoded", options: runOptions, memory: memoryOptions.limit)
    if let tars {
      try TarRun(command: command, arguments: tars, force: input.force, work: encoding.members)
        .run(
          shardOptions, model: encoding.manifestModel, settings: encoding.settings)
    } else {
      try run(encoding, command)
    }
  }

  private func run(_ encoding: PictureEncoding, _ command: FileCommand) throws {
    let extensions = PictureEncoding.extensions
    let list = try InputWalker.expand(input.inputs, extensions: extensions)
    let plan = try OutputPlan(
      for: list.files, inputExtensions: extensions, output: input.output,
      outputExtensions: ["latent"])
    let sharing = ShardedRun(
      command: command, options: shardOptions, input: input, files: plan.files,
      failures: list.failures, model: encoding.manifestModel,
      settings: encoding.settings, outputExtensions: ["latent"])
    try sharing.run(encoding.job, hashes: encoding.hashes)
  }
}

extension PicturePreparation.Size: ExpressibleByArgument {
  /// From `64` or `768x512`; nil for anything else.
  public init?(argument: String) { self.init(argument) }
}
