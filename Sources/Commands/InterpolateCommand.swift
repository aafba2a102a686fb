public import ArgumentParser
import Foundation
import Images
import Models
public import Pipelines

extension LatentInterpolation: ExpressibleByArgument {}

struct InterpolateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "interpolate",
    abstract: "Go from one picture to another through their latents.",
    usage: "lvae interpolate [<options>] <first> <second>",
    discussion: """
      The latents of two pictures, or of two .latent files, and what lies between them, decoded \
      side by side. lerp is the straight line (1 − t)·a + t·b. slerp is the arc sin((1 − t)θ)/sin θ \
      · a + sin(tθ)/sin θ · b with θ the angle between a and b (Shoemake 1985; as diffusers), around \
      the mean that the model's scaling has; nearly parallel latents are joined by a line.

      The second picture takes the first one's size: its middle is cut out and resized. What is \
      transparent is laid over white.
      """)

  @Argument(help: "A picture or a .latent file.")
  var first: String

  @Argument(help: "Another.")
  var second: String

  @OptionGroup var outputOptions: PictureOutputOptions

  @Option(help: ArgumentHelp("How many pictures, with both ends.", valueName: "n"))
  var steps = 8

  @Option(help: "The way: lerp or slerp.")
  var method = LatentInterpolation.slerp

  @Option(
    help: ArgumentHelp(
      "Pictures (not .latent files) with a longer side are made smaller first.",
      valueName: "pixels"))
  var side: Int?

  @OptionGroup var modelOptions: ModelOptions
  @OptionGroup var memoryOptions: MemoryOptions
  @OptionGroup var runOptions: RunOptions

  func validate() throws {
    if !(2...1000).contains(steps) {
      throw ValidationError("--steps \(steps): a number from 2 to 1000 is expected")
    }
    try SideArgument.validate(side)
  }

  private struct Facts: Encodable {
    let output, model, method: String
    let steps, width, height: Int
  }

  func run() throws {
    try runOptions.withThreads { try compute() }
  }

  private func compute() throws {
    let output = outputOptions.output ?? "interpolation.png"
    let pictures = GeneratedPictures(command: "lvae interpolate", force: outputOptions.force)
    try pictures.check(output)
    var inputs = try [first, second].map { try LatentInput(path: $0) }
    if let side { inputs = inputs.map { $0.reduced(toLongestSide: side) } }
    let codec = LatentCodec(try modelOptions.load(for: inputs), memory: memoryOptions.limit)
    let start = try inputs[0].latents(with: codec)
    var end = try inputs[1].latents(with: codec)
    if end.height != start.height || end.width != start.width {
      runOptions.notice(
        "lvae: \(second) has \(end.width)×\(end.height) pixels; its middle is resized to "
          + "\(start.width)×\(start.height)")
      end = try inputs[1].latents(with: codec, height: start.height, width: start.width)
    }
    let progress = runOptions.progress("interpolate", total: steps)
    progress.begin()
    let path = method.path(
      from: start.latents, to: end.latents, steps: steps,
      scaling: codec.model.autoencoder.latentScaling)
    let strip = try path.map { latents in
      defer { progress.advance() }
      return try codec.picture(of: latents, height: start.height, width: start.width)
    }
    progress.finish()
    let note =
      "\(method.rawValue) in \(steps) steps from \(first.fileName) to \(second.fileName), "
      + codec.model.identification
    try pictures.write(
      ImageGrid(columnCount: steps).image(of: strip), note: note, to: output)
    try pictures.finish()
    if runOptions.json {
      let facts = Facts(
        output: output, model: codec.model.name, method: method.rawValue, steps: steps,
        width: start.width, height: start.height)
      print(try JSONLines.line(facts))
    } else {
      runOptions.notice(
        "\(steps) pictures from left to right with \(codec.model.name) in \(output)")
    }
  }
}

/// What `--side` may be.
enum SideArgument {
  static func validate(_ side: Int?) throws {
    if let side, !(1...65536).contains(side) {
      throw ValidationError("--side \(side): a number from 1 to 65536 is expected")
    }
  }
}

extension String {
  /// What follows a path's last slash.
  var fileName: String { (self as NSString).lastPathComponent }
}
