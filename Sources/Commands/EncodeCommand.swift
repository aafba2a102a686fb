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
      """)

  @OptionGroup var input: InputOptions
  @OptionGroup var modelOptions: ModelOptions
  @OptionGroup var memoryOptions: MemoryOptions
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

  @Option(
    help: ArgumentHelp(
      "Only part i of N (from 0), for N machines that share the work.", valueName: "i/N"))
  var shard: ShardArgument?

  func validate() throws {
    if let maxLoss, !(maxLoss > 0 && maxLoss.isFinite) {
      throw ValidationError("--max-loss \(maxLoss): a number of decibels above 0 is expected")
    }
  }

  private struct Loaded: Sendable {
    let image: Image
    let sha256: String
  }

  private struct Facts: Encodable {
    let bytes, width, height: Int
    let bitsPerPixel: Double
    let storage: String
    let computeMilliseconds: Double
    let warnings: [String]?
  }

  func run() throws {
    let extensions = Set(ImageFormat.allCases.flatMap(\.fileExtensions))
    let list = try InputWalker.expand(input.inputs, extensions: extensions)
    let plan = try OutputPlan(
      for: list.files, inputExtensions: extensions, output: input.output,
      outputExtensions: ["latent"])
    let files = shard.map { shard in plan.files.filter { shard.contains($0.input) } } ?? plan.files
    // The search for the best storage decodes what it tries.
    let model = try ModelStore().load(
      modelOptions.model, halves: maxLoss == nil ? .encoder : .both)
    let codec = LatentCodec(model, memory: memoryOptions.limit)
    let options = EncodingOptions(
      storage: storage, values: posterior, seed: seed, alpha: alpha.policy, maximumLoss: maxLoss,
      includesPreview: preview, preparation: PicturePreparation(size: size, mirrors: mirror))
    try codec.check(options)
    try FileCommand(
      label: "encode", verb: "encoded", options: runOptions, memory: memoryOptions.limit
    ).run(
      files, list, force: input.force,
      examine: { file in
        let header = try LatentFile.readHeader(contentsOf: file.outputURL)
        // It is ours, so whatever is wrong with the rest of it, it may be made anew.
        guard let sha256 = try? SHA256.hexadecimal(ofFileAt: file.input.url),
          codec.wouldWrite(header, sourceSHA256: sha256, options: options),
          (try? LatentFile(contentsOf: file.outputURL)) != nil
        else { return .outdated }
        return .upToDate
      },
      read: { file in
        let bytes = try FileReading.bytes(of: file.input)
        try codec.checkMemory(forPictureIn: bytes, options: options)
        return Loaded(
          image: try Image(decoding: bytes), sha256: SHA256.hexadecimal(of: bytes))
      },
      announce: { loaded in
        let size = options.preparation.size
        return codec.attentionEstimate(
          .encode, height: size?.height ?? loaded.image.height,
          width: size?.width ?? loaded.image.width)?.description
      },
      compute: { _, loaded in try Self.encode(loaded, codec, options) },
      pack: { _, encoded in encoded })
  }

  private static func encode(
    _ loaded: Loaded, _ codec: LatentCodec, _ options: EncodingOptions
  ) throws -> FileRun.Result<Facts> {
    let start = ContinuousClock.now
    let image = loaded.image
    let file = try codec.encode(image, sourceSHA256: loaded.sha256, options: options)
    let bytes = try file.encoded()
    let (height, width) = (
      file.metadata.source?.height ?? image.height, file.metadata.source?.width ?? image.width
    )
    let warnings = image.source.warnings
    return FileRun.Result(
      bytes: bytes,
      note: Facts(
        bytes: bytes.count, width: width, height: height,
        bitsPerPixel: Double(bytes.count * 8) / Double(width * height),
        storage: file.latent.storage.rawValue,
        computeMilliseconds: (ContinuousClock.now - start) / .milliseconds(1),
        warnings: warnings.isEmpty ? nil : warnings))
  }
}

extension PicturePreparation.Size: ExpressibleByArgument {
  /// From `64` or `768x512`; nil for anything else.
  public init?(argument: String) { self.init(argument) }
}
