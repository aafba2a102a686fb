public import ArgumentParser
import Foundation
import Images
public import Pipelines
public import Schedulers

extension SchedulerName: ExpressibleByArgument {}

extension PictureNoise.Generator: ExpressibleByArgument {}

struct DiffuseSampleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diffuse-sample",
    abstract: "Draw pictures with a diffusion model.",
    usage: "lvae diffuse-sample [<options>]",
    discussion: """
      Noise becomes a latent, a few noise levels at a time, and the latent a picture: Ho et al. \
      2020, arXiv:2006.11239; in the latents of an autoencoder as Rombach et al. 2021, \
      arXiv:2112.10752. Picture k is the same, bit for bit, whatever -n and --threads are.

      --init changes a picture: it gets the noise of a level in the middle (Meng et al. 2021, \
      arXiv:2108.01073). With --mask only what the mask shows white is drawn anew, and all other \
      pixels stay as they are. All settings stand in the PNG files; `lvae inspect` shows them.

      Schedulers:

      """
        + SchedulerName.allCases.map { "\($0.rawValue): \($0.explanation)" }.joined(separator: "\n")
  )

  @Option(
    name: .short,
    help: ArgumentHelp(
      "How many pictures; 16 without it, or 8 with --interpolate.", valueName: "n"))
  var number: Int?

  @Option(help: ArgumentHelp("The number of the first picture.", valueName: "k"))
  var first = 0

  @Option(
    name: [.short, .customLong("output")],
    help: ArgumentHelp(
      "A PNG file for all of them in a grid, or a folder for one file each.", valueName: "out"))
  var output = "samples.png"

  @Flag(help: "Put files into folders of their classes, as training and diffuse-eval read them.")
  var classFolders = false

  @Flag(help: "Replace files that this command didn't make.")
  var force = false

  @Option(
    help: ArgumentHelp(
      "A pipeline's folder, as `lvae diffuse-train` makes it, or the name of a model.",
      valueName: "name|path"))
  var model: String?

  @Option(
    name: .customLong("class"),
    help: ArgumentHelp(
      "The names or numbers of classes, which pictures take in turn, or by their shares, as with "
        + "cat:3,dog; all without it.",
      valueName: "list"))
  var classes: String?

  @Option(
    help: ArgumentHelp("How strongly the class is followed; 1 is as trained.", valueName: "w"))
  var guidance = DiffusionOptions.defaultGuidance

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Follow it only at noise levels between these, as noise ÷ signal, such as 0.3 3.",
      valueName: "a b"))
  var guidanceInterval: [Double] = []

  @Option(help: ArgumentHelp("How many noise levels to go through.", valueName: "n"))
  var steps = DiffusionOptions.defaultStepCount

  @Option(help: "The way from noise to picture; the model's own without it.")
  var scheduler: SchedulerName?

  @Option(help: "The seed of the noise; each picture has a stream of its own.")
  var seed: UInt64 = 0

  @Option(
    help: "Whose random numbers: philox, or torch for torch.randn(1, C, H, W) with seed + k.")
  var rng = PictureNoise.Generator.philox

  @Option(
    help: ArgumentHelp(
      "The size of a picture in pixels; as trained without it.", valueName: "WxH"))
  var size: SizeArgument?

  @OptionGroup var changes: ChangeOptions

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Go from the noise of one seed to that of another, on an arc.", valueName: "a b"))
  var interpolate: [UInt64] = []

  @Flag(help: "Show how each picture came to be: previews of steps, from left to right.")
  var progressStrip = false

  @Option(help: ArgumentHelp("A folder for the pictures' .latent files.", valueName: "dir"))
  var saveLatents: String?

  @OptionGroup var runOptions: RunOptions

  /// As many pixels as a picture may have that is read.
  static let mostPixels = ImageLimits().maximumPixelCount

  var count: Int { number ?? (interpolate.isEmpty ? 16 : 8) }

  /// The levels of ``guidanceInterval``; nil for all.
  var guidanceLevels: ClosedRange<Double>? {
    guidanceInterval.count == 2 ? guidanceInterval[0]...guidanceInterval[1] : nil
  }

  var isGrid: Bool { OutputPlan.namesFile(output, extensions: ["png"]) }

  func validate() throws {
    let least = interpolate.isEmpty ? 1 : 2
    if !(least...1_000_000).contains(count) {
      throw ValidationError("-n \(count): a number from \(least) to 1000000 is expected")
    }
    if !(0...1_000_000_000).contains(first) {
      throw ValidationError("--first \(first): a number from 0 to 1000000000 is expected")
    }
    if !(1...10_000).contains(steps) {
      throw ValidationError("--steps \(steps): a number from 1 to 10000 is expected")
    }
    if !(0...1000).contains(guidance) {
      throw ValidationError("--guidance \(guidance): a number from 0 to 1000 is expected")
    }
    guard
      guidanceInterval.isEmpty
        || guidanceInterval.count == 2 && 0 <= guidanceInterval[0]
          && guidanceInterval[0] <= guidanceInterval[1] && guidanceInterval[1].isFinite
    else {
      throw ValidationError(
        "--guidance-interval takes two levels, the lower first, such as --guidance-interval 0.3 3")
    }
    if let size, !(1...65536).contains(size.width) || !(1...65536).contains(size.height) {
      throw ValidationError("--size \(size): sides from 1 to 65536 are expected")
    }
    guard [0, 2].contains(interpolate.count) else {
      throw ValidationError("--interpolate takes two seeds, such as --interpolate 1 2")
    }
    if classFolders, isGrid, saveLatents == nil {
      throw ValidationError("--class-folders is for files, not for a grid; name a folder with -o")
    }
    if !interpolate.isEmpty, first > 0 {
      throw ValidationError("--first is for pictures of one seed, not for --interpolate")
    }
  }

  func run() throws {
    try runOptions.withThreads { try DiffuseSampleRun(self)() }
  }
}

/// A picture that is changed.
struct ChangeOptions: ParsableArguments {
  @Option(
    name: .customLong("init"),
    help: ArgumentHelp("Begin with this picture instead of noise.", valueName: "image"))
  var initial: String?

  @Option(
    help: ArgumentHelp(
      "How much of --init is lost: 0 nothing to 1 all; 0.6, or 1 with --mask.", valueName: "s"))
  var strength: Double?

  @Option(
    help: ArgumentHelp(
      "Draw --init anew where this picture is white, and keep it where it is black.",
      valueName: "image"))
  var mask: String?

  func validate() throws {
    if let strength, !(0...1).contains(strength) {
      throw ValidationError("--strength \(strength): a number from 0 to 1 is expected")
    }
    if initial == nil, strength != nil || mask != nil {
      throw ValidationError("--strength and --mask change a picture; name it with --init")
    }
  }

  /// How much of the picture is lost.
  var chosenStrength: Double { strength ?? (mask == nil ? 0.6 : 1) }

  /// The picture, of the pipeline's size; nil if none is named.
  ///
  /// What is done to the pictures goes to `notice`.
  func start(
    for pipeline: DiffusionPipeline, notice: (String) -> Void
  ) throws -> DiffusionPipeline.Start? {
    guard let initial else { return nil }
    let size = PicturePreparation.Size(width: pipeline.width, height: pipeline.height)
    let prepare = PicturePreparation(size: size)
    func read(_ path: String) throws -> Image {
      do {
        return try Image(decoding: FileReading.bytes(of: InputFile(path: path, relativePath: path)))
      } catch {
        throw GenerationError.unusable(path: path, reason: "\(error)")
      }
    }
    let original = try read(initial)
    let image = prepare(original)
    func tell(_ path: String, _ found: Image, _ what: String) {
      guard found.width != size.width || found.height != size.height else { return }
      notice(
        "lvae: \(path) has \(found.width)×\(found.height) pixels; \(what) resized to "
          + "\(size.width)×\(size.height)")
    }
    tell(initial, original, "its middle is")
    let maskImage = try mask.map { path in
      let found = try read(path)
      guard found.width != original.width || found.height != original.height else {
        return prepare(found)
      }
      tell(path, found, "it is")
      return found.resized(width: size.width, height: size.height)
    }
    let start = try pipeline.start(from: image, strength: chosenStrength, mask: maskImage)
    if let mask, start.mask?.isEmpty == true {
      throw GenerationError.unusable(
        path: mask,
        reason: "the mask is dark everywhere, so nothing would be drawn; paint white "
          + "what is to be drawn anew")
    }
    return start
  }
}
