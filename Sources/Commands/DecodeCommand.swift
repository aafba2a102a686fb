import ArgumentParser
import Foundation
import Images
import LatentFiles
import Pipelines

struct DecodeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "decode",
    abstract: "Decode .latent files to pictures.",
    discussion: """
      Each file names the weights that it was made with. They are taken from --model, which must be
      those, or found among the models of `lvae models list`.
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable {
    case png, jpg, webp

    var extensions: [String] { self == .jpg ? ["jpg", "jpeg"] : [rawValue] }
  }

  @OptionGroup var input: InputOptions
  @OptionGroup var modelOptions: ModelOptions
  @OptionGroup var run: RunOptions

  @Option(help: "The format of the pictures; without it, the extension of --output, or png.")
  var format: Format?

  @Option(help: ArgumentHelp("The quality of JPEG and WebP, 1 to 100.", valueName: "q"))
  var quality = 90

  func validate() throws {
    if !(1...100).contains(quality) {
      throw ValidationError("--quality \(quality): a number from 1 to 100 is expected")
    }
  }

  private struct Facts: Encodable {
    let bytes, width, height: Int
    let model: String
    let computeMilliseconds: Double
  }

  private struct Decoded: Sendable {
    let image: Image
    let model: String
    let milliseconds: Double
  }

  /// The format that the options ask for.
  private var chosenFormat: Format {
    if let format { return format }
    let suffix = input.output.map { URL(filePath: $0).pathExtension.lowercased() }
    return Format.allCases.first { $0.extensions.contains(suffix ?? "") } ?? .png
  }

  func run() throws {
    let format = chosenFormat
    let list = try InputWalker.expand(input.inputs, extensions: ["latent"])
    let plan = try OutputPlan(
      for: list.files, inputExtensions: ["latent"], output: input.output,
      outputExtensions: format.extensions)
    let models = LatentModels(store: ModelStore(), given: try givenModel())
    let folders = OutputFolders()
    let (force, quality) = (input.force, quality)
    try FileRun(label: "decode", verb: "decoded", options: run, list: list, files: plan.files).run(
      isUpToDate: { file in
        try ResumeRule.isUpToDate(file, force: force) { file in
          try FileReading.isNewer(file.outputPath, than: file.input.path) ? .upToDate : .outdated
        }
      },
      read: { file in try LatentFile(contentsOf: file.input.url) },
      compute: { _, latent in
        let codec = try models.codec(for: latent.metadata.model)
        let start = ContinuousClock.now
        return Decoded(
          image: try codec.decode(latent), model: codec.model.name,
          milliseconds: (ContinuousClock.now - start) / .milliseconds(1))
      },
      write: { file, decoded in
        let bytes = try Self.encoded(decoded.image, format, quality: quality)
        try folders.write(bytes, to: file.outputPath)
        return Facts(
          bytes: bytes.count, width: decoded.image.width, height: decoded.image.height,
          model: decoded.model, computeMilliseconds: decoded.milliseconds)
      },
      finish: { try folders.finish() })
  }

  private func givenModel() throws -> PretrainedAutoencoder? {
    try modelOptions.model.map { try ModelStore().load($0) }
  }

  /// JPEG holds no opacity: such a picture is laid over white.
  private static func encoded(
    _ image: Image, _ format: Format, quality: Int
  ) throws -> [UInt8] {
    switch format {
    case .png: try image.encoded(as: .png(compression: 4))
    case .jpg:
      try image.flattened(red: 255, green: 255, blue: 255).encoded(as: .jpeg(quality: quality))
    case .webp: try image.encoded(as: .webP(quality: Float(quality)))
    }
  }
}
