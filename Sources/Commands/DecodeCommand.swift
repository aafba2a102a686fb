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
      continues where it was stopped.
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable {
    case png, jpg, webp

    var extensions: [String] { self == .jpg ? ["jpg", "jpeg"] : [rawValue] }
  }

  @OptionGroup var input: InputOptions
  @OptionGroup var modelOptions: ModelOptions
  @OptionGroup var memoryOptions: MemoryOptions
  @OptionGroup var runOptions: RunOptions

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

  private struct Facts: Encodable {
    let bytes, width, height: Int
    let model: String
    let computeMilliseconds: Double
  }

  private struct Loaded: Sendable {
    let file: LatentFile
    let note: DecodingNote
  }

  private struct Decoded: Sendable {
    let image: Image
    let note: DecodingNote
    let model: String
    let milliseconds: Double
  }

  /// The format of the one picture that `--output` names; nil where it names a folder.
  private var formatOfOutput: Format? {
    guard let output = input.output else { return nil }
    return Format.allCases.first { OutputPlan.namesFile(output, extensions: $0.extensions) }
  }

  /// The format that the options ask for.
  private var chosenFormat: Format { format ?? formatOfOutput ?? .png }

  func run() throws {
    let format = chosenFormat
    let list = try InputWalker.expand(input.inputs, extensions: ["latent"])
    let plan = try OutputPlan(
      for: list.files, inputExtensions: ["latent"], output: input.output,
      outputExtensions: format.extensions)
    let models = LatentModels(
      store: ModelStore(), given: try givenModel(), memory: memoryOptions.limit)
    let quality = quality
    try FileCommand(
      label: "decode", verb: "decoded", options: runOptions, memory: memoryOptions.limit
    ).run(
      plan.files, list, force: input.force,
      examine: { file in
        let note = try DecodingNote(ofPictureAt: file.outputURL)
        guard let note else { return .foreign }
        return try note == DecodingNote(latentAt: file.input.url, format, quality: quality)
          ? .upToDate : .outdated
      },
      read: { file in
        Loaded(
          file: try LatentFile(contentsOf: file.input.url),
          note: try DecodingNote(latentAt: file.input.url, format, quality: quality))
      },
      announce: { loaded in
        // A model that isn't there is reported below.
        let codec = try? models.codec(for: loaded.file.metadata.model)
        let factor = loaded.file.metadata.spatialFactor
        return codec?.attentionEstimate(
          .decode, height: loaded.file.latent.height * factor,
          width: loaded.file.latent.width * factor)?.description
      },
      compute: { _, loaded in
        let codec = try models.codec(for: loaded.file.metadata.model)
        let start = ContinuousClock.now
        return Decoded(
          image: try codec.decode(loaded.file, for: Self.encoding(format, quality: quality)),
          note: loaded.note, model: codec.model.name,
          milliseconds: (ContinuousClock.now - start) / .milliseconds(1))
      },
      pack: { _, decoded in
        FileRun.Result { byteCount in
          Facts(
            bytes: byteCount, width: decoded.image.width, height: decoded.image.height,
            model: decoded.model, computeMilliseconds: decoded.milliseconds)
        } write: { sink in
          try Self.encode(decoded.image, format, quality: quality, decoded.note, to: sink)
        }
      })
  }

  private func givenModel() throws -> PretrainedAutoencoder? {
    try modelOptions.model.map { try ModelStore().load($0, halves: .decoder) }
  }

  private static func encoding(_ format: Format, quality: Int) -> ImageEncoding {
    switch format {
    case .png: .png()
    case .jpg: .jpeg(quality: quality)
    case .webp: .webP(quality: Float(quality))
    }
  }

  /// JPEG holds no opacity: such a picture is laid over white.
  private static func encode(
    _ image: Image, _ format: Format, quality: Int, _ note: DecodingNote,
    to sink: ([UInt8]) throws -> Void
  ) throws {
    let image = format == .jpg ? image.flattened(red: 255, green: 255, blue: 255) : image
    try image.encode(as: encoding(format, quality: quality), note: note.text, to: sink)
  }
}

/// What a decoded picture says about the file that it was made from, so that a run which is started
/// again knows its own results and leaves other pictures alone.
struct DecodingNote: Equatable {
  let text: String

  private static let beginning = "decoded by lvae from "

  /// The note of a picture that is made from a `.latent` file.
  init(latentAt url: URL, _ format: DecodeCommand.Format, quality: Int) throws {
    let sha256 = try SHA256.hexadecimal(ofFileAt: url)
    text = Self.beginning + sha256 + (format == .png ? "" : " quality \(quality)")
  }

  /// The note in a picture that is there; nil if it has none.
  init?(ofPictureAt url: URL) throws {
    let bytes = try FileReading.bytes(of: InputFile(path: url.path, relativePath: url.path))
    guard let text = Image.note(in: bytes), text.hasPrefix(Self.beginning) else { return nil }
    self.text = text
  }
}
