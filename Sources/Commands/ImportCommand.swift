import ArgumentParser
import Foundation
import LatentFiles
import Models
import Pipelines
import Tensors

struct ImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Make .latent files of other programs' latents: npz, npy, safetensors.",
    usage: "lvae import [<options>] <inputs> ... --model <name|path>",
    discussion: """
      Takes what `lvae export` writes and sd-scripts (.npz), PixArt (.npy) and ai-toolkit \
      (.safetensors) cache: arrays of C×H×W, or 2C×H×W with the standard deviations behind the \
      means, in the autoencoder's own range. Such files don't say which weights made them: name \
      the model with --model, so that the .latent files do. Numbers are stored exactly, unless \
      --storage says otherwise: int8 takes a fifth. (Models are imported with `lvae models \
      import`.)
      """)

  @OptionGroup var input: InputOptions

  @Option(
    help: ArgumentHelp(
      "The autoencoder that made the latents: a name from `lvae models list`, or a path.",
      valueName: "name|path"))
  var model: String

  @Flag(help: "The numbers are as a denoiser takes them, (z − shift) · scaling: undo that.")
  var scaled = false

  @Option(help: "What the numbers are, where a file doesn't tell: mean or sample.")
  var values = LatentMetadata.Values.mean

  @Option(
    help: ArgumentHelp(
      "Which array of a file that holds several: latents_64x96.", valueName: "name"))
  var array: String?

  @Option(help: "How numbers are stored.")
  var storage = LatentStorage.f32

  @OptionGroup var runOptions: RunOptions

  func validate() throws {
    if values == .moments {
      throw ValidationError("--values moments: an array with deviations is taken as such by itself")
    }
  }

  private struct Facts: Encodable {
    let bytes: Int
    let shape: [Int]
    let values, storage: String
  }

  private static let limit = 1 << 30

  func run() throws {
    let extensions = Set(ForeignLatent.Format.allCases.map(\.fileExtension))
    let list = try InputWalker.expand(input.inputs, extensions: extensions)
    let plan = try OutputPlan(
      for: list.files, inputExtensions: extensions, output: input.output,
      outputExtensions: ["latent"])
    let model = try ModelStore().load(model)
    let (values, storage) = (values, storage)
    let read = reader(for: model)
    let job = FileJob(
      examine: { file in
        let header = try LatentFile.readHeader(contentsOf: file.outputURL)
        let origin = try read(file).origin
        let isCurrent =
          ForeignLatent.isImport(header.metadata, of: origin)
          && header.storage == storage
          && header.metadata.model.sha256 == model.sha256
        return isCurrent && (try? LatentFile(contentsOf: file.outputURL)) != nil
          ? .upToDate : .outdated
      },
      read: read,
      compute: { _, loaded in
        try loaded.latent.file(
          of: model, storage: storage, values: values, from: loaded.origin)
      },
      pack: { _, file in
        let bytes = try file.encoded()
        return FileRun.Result(
          bytes: bytes,
          note: Facts(
            bytes: bytes.count,
            shape: [file.latent.planes.count, file.latent.height, file.latent.width],
            values: file.metadata.values.rawValue, storage: storage.rawValue))
      })
    try FileCommand(label: "import", verb: "imported", options: runOptions).run(
      plan.files, list, force: input.force, job)
  }

  private struct Loaded: Sendable {
    let latent: ForeignLatent
    let origin: ForeignLatent.Origin
  }

  private func reader(
    for model: PretrainedAutoencoder
  ) -> @Sendable (PlannedFile) throws -> Loaded {
    let (array, scaled) = (array, scaled)
    let scaling = model.autoencoder.latentScaling
    let channels = model.autoencoder.latentChannels
    return { file in
      guard let format = ForeignLatent.Format(path: file.input.path) else {
        throw InterchangeError.unsupported(
          format: file.input.path, reason: "its name ends in none of .npz, .npy, .safetensors")
      }
      let bytes = try FileReading.bytes(of: file.input, limit: Self.limit)
      let latent = try ForeignLatent(
        decoding: bytes, as: format, channels: channels, array: array)
      let wasScaled = scaled || latent.isScaled
      return Loaded(
        latent: wasScaled ? latent.toAutoencoder(scaling) : latent,
        origin: .init(
          format: format, sha256: SHA256.hexadecimal(of: bytes), wasScaled: wasScaled))
    }
  }
}
