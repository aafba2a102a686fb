import ArgumentParser
import Foundation
import LatentFiles
import Models
import Pipelines
import Tensors

struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write the latents of .latent files for other programs: npz, npy, safetensors.",
    usage: "lvae export [<options>] <inputs> ... --format <format>",
    discussion: """
      kohya-npz is the cache of kohya's sd-scripts: latents_HxW (C×H×W), original_size_HxW and \
      crop_ltrb_HxW. npy is a bare C×H×W array, and of moments the means and then the standard \
      deviations, as PixArt keeps them. safetensors has a tensor `latent`, as ai-toolkit keeps it, of \
      moments also `std`, and says which weights made it. All are float32 in the autoencoder's own \
      range, unless --scaled is given; of moments, kohya-npz has the means. Opacity is left out. \
      `lvae import` is the way back. (Models are exported with `lvae models export`.)
      """)

  @OptionGroup var input: InputOptions

  @Option(
    help: ArgumentHelp("What to write.", valueName: "kohya-npz|npy|safetensors"))
  var format: ForeignLatent.Format

  @Flag(help: "Shift and scale the numbers as a denoiser takes them: (z − shift) · scaling.")
  var scaled = false

  @Option(
    help: ArgumentHelp(
      "With kohya-npz: name files as sd-scripts look for them, photo_0768x0512_sdxl.npz.",
      valueName: "sd|sdxl|sd3|flux"))
  var family: Family?

  @OptionGroup var runOptions: RunOptions

  enum Family: String, ExpressibleByArgument, CaseIterable {
    case sd, sdxl, sd3, flux
  }

  func validate() throws {
    if family != nil, format != .kohyaNPZ {
      throw ValidationError("--family is used with --format kohya-npz only")
    }
  }

  private struct Facts: Encodable {
    let bytes: Int
    let shape: [Int]
    let values: String
  }

  func run() throws {
    let list = try InputWalker.expand(input.inputs, extensions: ["latent"])
    let plan = try OutputPlan(
      for: list.files, inputExtensions: ["latent"], output: input.output,
      outputExtensions: [format.fileExtension])
    let (format, scaled) = (format, scaled)
    let job = FileJob(
      examine: { file in
        // The same latent always gives the same bytes.
        let wanted = try Self.export(file, format, scaled: scaled).bytes
        let found = try FileReading.bytes(
          of: InputFile(path: file.outputPath, relativePath: file.outputPath))
        return wanted == found ? .upToDate : .foreign
      },
      read: { file in try Self.export(file, format, scaled: scaled) },
      compute: { _, exported in exported },
      pack: { _, exported in FileRun.Result(bytes: exported.bytes, note: exported.facts) })
    try FileCommand(label: "export", verb: "exported", options: runOptions).run(
      named(plan.files), list, force: input.force, job)
  }

  private static func export(
    _ file: PlannedFile, _ format: ForeignLatent.Format, scaled: Bool
  ) throws -> (bytes: [UInt8], facts: Facts) {
    let file = try LatentFile(contentsOf: file.input.url)
    let model = file.metadata.model
    var latent = ForeignLatent(file)
    if scaled {
      latent = latent.toDiffusion(
        LatentScaling(
          factor: model.scalingFactor, shift: model.shiftFactor, mean: model.latentsMean,
          standardDeviation: model.latentsStd))
    }
    let bytes = try latent.encoded(as: format)
    let shape = latent.latent.shape
    return (
      bytes,
      Facts(
        bytes: bytes.count, shape: [shape[3], shape[1], shape[2]],
        values: file.metadata.values.rawValue)
    )
  }

  /// The files with the names that sd-scripts look for, if they are wanted.
  private func named(_ files: [PlannedFile]) -> [PlannedFile] {
    guard let family else { return files }
    return files.map { file in
      // What can't be read is reported later.
      guard let header = try? LatentFile.readHeader(contentsOf: file.input.url) else { return file }
      let factor = header.metadata.spatialFactor
      let width = header.metadata.source?.width ?? header.width * factor
      let height = header.metadata.source?.height ?? header.height * factor
      func digits(_ number: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, 4 - text.count)) + text
      }
      var file = file
      let stem = file.outputPath.dropLast(".npz".count)
      file.outputPath = "\(stem)_\(digits(width))x\(digits(height))_\(family.rawValue).npz"
      return file
    }
  }
}

extension ForeignLatent.Format: ExpressibleByArgument {}
