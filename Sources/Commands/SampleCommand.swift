import ArgumentParser
import Foundation
import Images
import Pipelines

struct SampleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sample",
    abstract: "Draw pictures from the prior of an autoencoder.",
    usage: "lvae sample [<options>]",
    discussion: """
      z ~ N(0, 1) in each channel and at each position, brought to the autoencoder's range by its \
      scaling (shift and factor, or latents_mean and latents_std), then decoded: Kingma and Welling \
      2013, arXiv:1312.6114; scaling as Rombach et al. 2021, arXiv:2112.10752. Picture k is the \
      same whatever -n and --threads are.

      The prior knows nothing of what belongs together in a picture: an autoencoder that keeps a \
      grid of latents gives textures. To learn the rest is what a diffusion model is for.
      """)

  @Option(name: .short, help: ArgumentHelp("How many pictures.", valueName: "n"))
  var number = 16

  @Option(
    name: [.short, .customLong("output")],
    help: ArgumentHelp(
      "A PNG file for all of them in a grid, or a folder for one file each.", valueName: "out"))
  var output = "samples.png"

  @Flag(help: "Replace pictures that this command didn't make.")
  var force = false

  @Option(help: "The seed of the random numbers; each picture has a stream of its own.")
  var seed: UInt64 = 0

  @Option(
    help: ArgumentHelp(
      "What standard deviations are multiplied with; below 1 pictures are more alike.",
      valueName: "t"))
  var temperature = 1.0

  @Option(help: ArgumentHelp("The size of a picture in pixels.", valueName: "WxH"))
  var size = SizeArgument(width: 128, height: 128)

  @OptionGroup var modelOptions: ModelOptions
  @OptionGroup var memoryOptions: MemoryOptions
  @OptionGroup var runOptions: RunOptions

  /// As many pixels as a picture may have that is read.
  private static let mostPixels = ImageLimits().maximumPixelCount

  private var isGrid: Bool { OutputPlan.namesFile(output, extensions: ["png"]) }

  func validate() throws {
    if !(1...1_000_000).contains(number) {
      throw ValidationError("-n \(number): a number from 1 to 1000000 is expected")
    }
    if !(0...100).contains(temperature) {
      throw ValidationError("--temperature \(temperature): a number from 0 to 100 is expected")
    }
    guard size.width >= 1, size.height >= 1, max(size.width, size.height) <= 1 << 20,
      size.width * size.height <= Self.mostPixels
    else {
      throw ValidationError(
        "--size \(size): both sides must be at least 1, and at most \(Self.mostPixels) pixels in all"
      )
    }
    if isGrid, number > Self.mostPixels / (size.width * size.height) {
      throw ValidationError(
        "\(number) pictures of \(size) are too many for one grid; name a folder with -o")
    }
  }

  private struct Facts: Encodable {
    let output, model, prior: String
    let pictures, width, height: Int
    let seed: UInt64
    let temperature: Double
  }

  func run() throws {
    try runOptions.withThreads { try compute() }
  }

  private func compute() throws {
    let codec = LatentCodec(try modelOptions.load(), memory: memoryOptions.limit)
    let prior = try LatentPrior(of: codec)
    let pictures = GeneratedPictures(command: "lvae sample", force: force)
    let paths = isGrid ? [output] : (0..<number).map(path(ofPicture:))
    for path in paths { try pictures.check(path) }
    if prior.origin != .prior { runOptions.notice("lvae: " + text(of: prior, codec.model)) }
    let progress = runOptions.progress("sample", total: number)
    progress.begin()
    var drawn: [Image] = []
    for index in 0..<number {
      let image = try codec.sample(
        prior, picture: index, seed: seed, temperature: temperature, height: size.height,
        width: size.width)
      if isGrid {
        drawn.append(image)
      } else {
        try pictures.write(image, note: note("picture \(index)", codec.model), to: paths[index])
      }
      progress.advance()
    }
    progress.finish()
    if isGrid {
      let columns = Int(Double(number).squareRoot().rounded(.up))
      let grid = ImageGrid(columnCount: columns).image(of: drawn)
      try pictures.write(grid, note: note(count, codec.model), to: output)
    }
    try pictures.finish()
    try tell(prior, codec.model)
  }

  private var count: String { number == 1 ? "1 picture" : "\(number) pictures" }

  /// `folder/sample-000012.png`.
  private func path(ofPicture index: Int) -> String {
    let digits = String(index)
    let zeros = String(repeating: "0", count: max(0, 6 - digits.count))
    return URL(filePath: output, directoryHint: .isDirectory)
      .appending(path: "sample-\(zeros)\(digits).png").relativePath
  }

  private func note(_ what: String, _ model: PretrainedAutoencoder) -> String {
    "\(what) of \(size), seed \(seed), temperature \(temperature), \(model.identification)"
  }

  private func text(of prior: LatentPrior, _ model: PretrainedAutoencoder) -> String {
    let missing = "\(model.name) is an \(model.className) without a posterior, so it has no prior; "
    switch prior.origin {
    case .prior: return "the prior"
    case .recordedStatistics:
      return missing
        + "a normal distribution with its recorded latents_mean and latents_std is used"
    case .fitted(let count):
      return missing
        + "a normal distribution fitted to the latents of \(count) sample pictures is used"
    }
  }

  private func tell(_ prior: LatentPrior, _ model: PretrainedAutoencoder) throws {
    if runOptions.json {
      let facts = Facts(
        output: output, model: model.name, prior: text(of: prior, model), pictures: number,
        width: size.width, height: size.height, seed: seed, temperature: temperature)
      print(try JSONLines.line(facts))
    } else {
      runOptions.notice("\(count) of \(size) with \(model.name) in \(output)")
    }
  }
}

/// Columns and rows, `640x480`.
struct SizeArgument: ExpressibleByArgument, CustomStringConvertible {
  let width, height: Int

  init(width: Int, height: Int) {
    self.width = width
    self.height = height
  }

  init?(argument: String) {
    let sides = argument.lowercased().split(separator: "x", omittingEmptySubsequences: false)
    guard sides.count == 2, let width = Int(sides[0]), let height = Int(sides[1]) else {
      return nil
    }
    self.init(width: width, height: height)
  }

  var description: String { "\(width)x\(height)" }
}
