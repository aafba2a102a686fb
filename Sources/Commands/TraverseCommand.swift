import ArgumentParser
import Foundation
import Images
import Models
import Pipelines

struct TraverseCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "traverse",
    abstract: "Show what the directions of the latent space do to a picture.",
    usage: "lvae traverse [<options>] <image>",
    discussion: """
      A row a direction v, a column a place t: z + t·σ·v at all positions of the latent alike, \
      decoded, with t from −range to range standard deviations σ. Directions are the channels, \
      whose σ is what the model's scaling makes 1, or is measured on the latents of --from; or \
      with --components the principal components of these latents: the eigenvectors of the \
      covariance of their channel vectors over all positions. Which row is which, and how much of \
      the variance it explains, is printed.

      What is transparent is laid over white.
      """)

  @Argument(help: "A picture or a .latent file.")
  var image: String

  @OptionGroup var outputOptions: PictureOutputOptions

  @Option(
    help: ArgumentHelp("Which channels, from 0: 0,3,8-11; all without it.", valueName: "list"))
  var channels: ChannelsArgument?

  @Option(help: ArgumentHelp("How many principal components; needs --from.", valueName: "k"))
  var components: Int?

  @Option(
    help: ArgumentHelp(
      "A folder of .latent files or pictures that directions are measured on; of more than 1000, as "
        + "many are chosen evenly.", valueName: "dir"))
  var from: String?

  @Option(help: ArgumentHelp("How far to go, in standard deviations.", valueName: "t"))
  var range = 3.0

  @Option(help: ArgumentHelp("How many places a row has.", valueName: "n"))
  var steps = 7

  @Option(
    help: ArgumentHelp(
      "Pictures (not .latent files) with a longer side are made smaller first.",
      valueName: "pixels"))
  var side = 192

  @OptionGroup var modelOptions: ModelOptions
  @OptionGroup var memoryOptions: MemoryOptions
  @OptionGroup var runOptions: RunOptions

  func validate() throws {
    if !(2...1000).contains(steps) {
      throw ValidationError("--steps \(steps): a number from 2 to 1000 is expected")
    }
    if !(range > 0 && range <= 1000) {
      throw ValidationError("--range \(range): a number above 0, up to 1000, is expected")
    }
    if components != nil, from == nil {
      throw ValidationError("--components needs --from, the folder of latents to measure")
    }
    if components != nil, channels != nil {
      throw ValidationError("--components and --channels contradict each other; leave one out")
    }
    try SideArgument.validate(side)
  }

  /// How many files of a folder are measured at most.
  private static let fileLimit = 1000

  private struct Row: Encodable {
    let direction: String
    let standardDeviation: Double
    let explainedVariance: Double?
    let vector: [Double]
  }

  private struct Facts: Encodable {
    let output, model: String
    let columns: [Double]
    let rows: [Row]
  }

  func run() throws {
    try runOptions.withThreads { try compute() }
  }

  private func compute() throws {
    let output = outputOptions.output ?? "traversal.png"
    let pictures = GeneratedPictures(command: "lvae traverse", force: outputOptions.force)
    try pictures.check(output)
    let input = try LatentInput(path: image).reduced(toLongestSide: side)
    let codec = LatentCodec(try modelOptions.load(for: [input]), memory: memoryOptions.limit)
    let start = try input.latents(with: codec)
    let directions = try directions(codec)
    let amounts = (0..<steps).map { Double(2 * $0 - steps + 1) * range / Double(steps - 1) }
    let progress = runOptions.progress("traverse", total: directions.count * steps)
    progress.begin()
    var tiles: [Image] = []
    for direction in directions {
      for amount in amounts {
        tiles.append(
          try codec.picture(
            of: direction.moving(start.latents, by: amount), height: start.height,
            width: start.width))
        progress.advance()
      }
    }
    progress.finish()
    let note =
      "\(image.fileName) along \(directions.map(\.name).joined(separator: ", ")), "
      + "±\(range) in \(steps) steps, \(codec.model.identification)"
    try pictures.write(
      ImageGrid(columnCount: steps).image(of: tiles), note: note, to: output)
    try pictures.finish()
    try tell(directions, amounts, codec.model, output)
  }

  private func directions(_ codec: LatentCodec) throws -> [LatentDirection] {
    let covariance = try from.map { try measure($0, codec) }
    guard let components, let covariance else {
      return try LatentDirection.channels(
        channels?.indices, measuredBy: covariance, of: codec.model)
    }
    return try LatentDirection.components(components, of: covariance)
  }

  private func measure(_ folder: String, _ codec: LatentCodec) throws -> ChannelCovariance {
    let (files, found) = try LatentInput.files(below: folder, limit: Self.fileLimit)
    if files.count < found {
      runOptions.notice("lvae: measured on \(files.count) of the \(found) files in \(folder)")
    }
    var covariance = ChannelCovariance(channelCount: codec.model.autoencoder.latentChannels)
    let progress = runOptions.progress("measure", total: files.count)
    progress.begin()
    for file in files {
      covariance.add(try LatentInput(file).latents(with: codec).latents)
      progress.advance()
    }
    progress.finish()
    return covariance
  }

  private func tell(
    _ directions: [LatentDirection], _ amounts: [Double], _ model: PretrainedAutoencoder,
    _ output: String
  ) throws {
    if runOptions.json {
      let rows = directions.map {
        Row(
          direction: $0.name, standardDeviation: $0.standardDeviation,
          explainedVariance: $0.explainedVariance, vector: $0.vector)
      }
      print(
        try JSONLines.line(
          Facts(output: output, model: model.name, columns: amounts, rows: rows)))
      return
    }
    print("rows of \(output), from the top:")
    for (index, direction) in directions.enumerated() {
      let share = direction.explainedVariance.map {
        ", \(HeaderText.decimal(100 * $0, digits: 1)) % of the variance"
      }
      print(
        "  \(index + 1)  \(direction.name): σ "
          + HeaderText.decimal(direction.standardDeviation, digits: 3) + (share ?? ""))
    }
    let columns = amounts.map { HeaderText.decimal($0, digits: 2) }
    print("columns, in σ: \(columns.joined(separator: "  "))")
  }
}

/// Numbers and ranges of them, `0,3,8-11`.
struct ChannelsArgument: ExpressibleByArgument {
  let indices: [Int]

  init?(argument: String) {
    var indices: [Int] = []
    for part in argument.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
      guard ends.count <= 2, let first = ends.first ?? nil, let last = ends.last ?? nil,
        first <= last, last - first < 10_000
      else { return nil }
      indices += first...last
    }
    self.indices = indices
  }
}
