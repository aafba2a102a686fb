public import ArgumentParser
import Foundation
import Images
public import LatentFiles
import Pipelines
import Tensors
import Training

/// What is read and where the results go.
struct InputOptions: ParsableArguments {
  @Argument(help: "Files, and folders that are walked with all that is below them.")
  var inputs: [String]

  @Option(
    name: [.short, .customLong("output")],
    help: ArgumentHelp(
      "The folder for the results, in which the inputs' folders are mirrored; or the name of the "
        + "result, if there is one input. Without it, results lie beside their inputs.",
      valueName: "out"))
  var output: String?

  @Flag(help: "Make results that are up to date anew, and replace files of other programs.")
  var force = false
}

/// How a run works and what it tells.
struct RunOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Threads that compute; all processors without it.", valueName: "n"))
  var threads: Int?

  @Flag(help: "One line of JSON for each input on standard output, and one for the whole run.")
  var json = false

  @Flag(name: .shortAndLong, help: "No progress; only errors.")
  var quiet = false

  func validate() throws {
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads \(threads): a number from 1 to 1024 is expected")
    }
  }

  /// Calls `body` with the wanted number of threads.
  func withThreads<Result>(_ body: () throws -> Result) rethrows -> Result {
    guard let threads else { return try body() }
    return try ThreadPool.$current.withValue(ThreadPool(threadCount: threads), operation: body)
  }
}

/// What commands have that measure and print one result.
struct ReportOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Also write a page of HTML, complete in one file.", valueName: "html"))
  var report: String?

  @Option(help: ArgumentHelp("Threads that compute; all processors without it.", valueName: "n"))
  var threads: Int?

  @Flag(help: "One object of JSON on standard output instead of tables.")
  var json = false

  @Flag(name: .shortAndLong, help: "No progress; only results and errors.")
  var quiet = false

  /// How the pictures are read.
  var run: RunOptions {
    var options = RunOptions()
    (options.threads, options.json, options.quiet) = (threads, json, quiet)
    return options
  }

  func validate() throws {
    try run.validate()
    if let report, report.isEmpty { throw ValidationError("--report: a file's name is expected") }
  }

  /// Refuses a page that can't be written, before any long work.
  func checkPath() throws {
    if let report { try EvaluationReport.checkPath(report) }
  }
}

/// How much memory is taken.
struct MemoryOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The most memory to take: 400MiB, 2GiB. Pictures that need more are computed in bands of rows, "
        + "with the same result to rounding, and one after the other; what doesn't fit is kept in a "
        + "temporary file in $TMPDIR. Without it, what the machine has is the limit.",
      valueName: "size"))
  var memory: MemoryArgument?

  var limit: MemoryLimit { MemoryLimit(byteCount: memory?.count.bytes) }
}

/// What attention sees.
struct AttentionOptions: ParsableArguments {
  enum Reach: String, ExpressibleByArgument, CaseIterable {
    case exact, windowed

    /// The place of it in the settings that manifests keep; absent where it is exact.
    private static let key = "attention"

    /// From a manifest's settings.
    init(settings: [String: String]) {
      self = settings[Self.key].flatMap(Self.init(rawValue:)) ?? .exact
    }

    /// As a manifest's settings have it.
    var settings: [String: String] { self == .exact ? [:] : [Self.key: rawValue] }

    /// What a place sees; 64 × 64 are the latent of a picture of 512 × 512, which Stable Diffusion's
    /// autoencoder was trained with.
    var window: Int? { self == .exact ? nil : 64 }
  }

  @Option(
    help: ArgumentHelp(
      "What each place of the latent is compared with where a model has attention: exact, with all "
        + "others, which takes most of the time for pictures of 4 megapixels and more; windowed, with "
        + "some 64×64 around it, which gives another result.",
      valueName: "exact|windowed"))
  var attention = Reach.exact
}

/// An amount of memory, `2GiB`.
struct MemoryArgument: ExpressibleByArgument {
  let count: ByteCount

  init?(argument: String) {
    guard let count = ByteCount(argument), count.bytes > 0 else { return nil }
    self.count = count
  }
}

/// Which autoencoder is used.
struct ModelOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The autoencoder: a name from `lvae models list`, a diffusers folder, a folder with a TAESD "
        + "encoder and decoder, or a single checkpoint file. Without it, the built-in photo; files "
        + "are decoded with the model that they were made with.",
      valueName: "name|path"))
  var model: String?

  /// The model that is named; without a name that of the first `.latent` file, or the built-in one.
  func load(for inputs: [LatentInput] = []) throws -> PretrainedAutoencoder {
    let store = ModelStore()
    guard model == nil, let input = inputs.first(where: { $0.model != nil }),
      let wanted = input.model
    else { return try store.load(model) }
    guard let found = try store.load(for: wanted) else {
      throw GenerationError.unusable(
        path: input.path, reason: "\(ModelStoreError.modelOfFileNotFound(wanted))")
    }
    return found
  }
}

/// Where a generated picture goes.
struct PictureOutputOptions: ParsableArguments {
  @Option(
    name: [.short, .customLong("output")],
    help: ArgumentHelp("The picture to write, a PNG.", valueName: "out.png"))
  var output: String?

  @Flag(help: "Replace a picture that this command didn't make.")
  var force = false

  func validate() throws {
    if let output, !OutputPlan.namesFile(output, extensions: ["png"]) {
      throw ValidationError("-o \(output): the name of a PNG file is expected, such as out.png")
    }
  }
}

extension RunOptions {
  /// Says something on standard error, unless nothing is wanted there.
  func notice(_ text: String) {
    if !quiet { StandardError.write(text) }
  }

  /// Tells on standard error how far pictures are.
  func progress(_ label: String, total: Int) -> ProgressReporter {
    ProgressReporter(
      label: label, total: total,
      style: .standardError(quiet: quiet, environment: ProcessInfo.processInfo.environment))
  }
}

extension LatentStorage: ExpressibleByArgument {}

extension LatentMetadata.Values: ExpressibleByArgument {}

/// What `--alpha keep|flatten=#rrggbb` says.
struct AlphaArgument: ExpressibleByArgument {
  let policy: AlphaPolicy

  init(policy: AlphaPolicy) {
    self.policy = policy
  }

  init?(argument: String) {
    if argument == "keep" {
      policy = .keep
      return
    }
    guard argument.hasPrefix("flatten=") else { return nil }
    let color = argument.dropFirst("flatten=".count)
    let named = ["white": "ffffff", "black": "000000", "grey": "808080"][String(color)]
    let digits = named ?? String(color.hasPrefix("#") ? color.dropFirst() : color)
    guard digits.count == 6, let value = UInt32(digits, radix: 16) else { return nil }
    policy = .flatten(
      red: UInt8(value >> 16 & 255), green: UInt8(value >> 8 & 255), blue: UInt8(value & 255))
  }

  /// The argument that stands for the policy.
  var text: String {
    guard case .flatten(let red, let green, let blue) = policy else { return "keep" }
    let digits = [red, green, blue].map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
    return "flatten=#" + digits.joined()
  }

  var defaultValueDescription: String { "keep" }
}
