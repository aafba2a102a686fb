import ArgumentParser
import Foundation
import Images
import LatentFiles
import Pipelines
import Synchronization
import Tensors
import Training

struct EvalCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "eval",
    abstract: "Measure what autoencoders keep of pictures, beside JPEG, WebP and PNG.",
    usage: "lvae eval [<options>] <inputs> ...",
    discussion: """
      Each picture becomes a .latent file as `lvae encode` writes it, in memory, and is decoded. \
      Pictures are compared in 8 bits, over red, green and blue; opacity counts in sizes only.

      bpp: bits a pixel, 8 · bytes of the whole file / pixels.
      entropy: what the integer codes cost in bits a pixel if each is coded by its frequency in its \
      channel, Σ −n log₂(n / N) (Shannon 1948); files are larger by their header, and smaller where \
      neighbours are alike.
      PSNR: 10 log₁₀(255² / MSE) in decibels.
      SSIM: Wang et al. 2004, Gaussian window of 11×11, σ 1.5, as pytorch-msssim.
      MS-SSIM: Wang et al. 2003, five scales, as pytorch-msssim; — where a side is 160 or less.
      BD-rate: how much more rate is needed for the same PSNR, the mean of ln(rate) over the common \
      range (Bjøntegaard, VCEG-M33), with piecewise cubics (PCHIP), between the curves of the means; \
      at least four storages must have a PSNR that the codec has too.
      JPEG (progressive: the smaller kind) and WebP (lossy) have the quality whose file is nearest in size to the latent's; PNG is \
      lossless, as `lvae decode` writes it.

      Of the latents, over all positions of all pictures: mean and std of z, skewness and excess \
      kurtosis (0 for a normal distribution), the variance of the means, Var(μ). A unit, a channel at \
      a position, is active if its mean varies between pictures by more than 0.01 (Burda et al. 2015, \
      arXiv:1509.00519); a channel, if it does between pictures and positions. For autoencoders with a \
      variance, also E[σ²]; KL = ½(μ² + σ² − 1 − ln σ²) in nats a position, and KL of all: that of \
      N(mean, std²) from the prior N(0, 1). The ELBO, E[ln p(x|z)] − KL (Kingma and Welling 2013, \
      arXiv:1312.6114), has p(x|z) = N(y, σ²) around the picture y that one sample of the posterior \
      decodes to, in −1…1, and the best σ, the root of the mean squared error (Rybkin et al. 2020, \
      arXiv:2006.13202); in nats a picture, and in bits for each of its 8-bit numbers.

      In the page of --report, thumbnails and error maps (black for no error, white for 32 levels and \
      more) take 6 MB at most: the more pictures there are, the smaller they become, down to 64 \
      pixels; beyond that only a part of the pictures, evenly chosen, is shown.
      """)

  @Argument(help: "Pictures, and folders that are walked with all that is below them.")
  var inputs: [String]

  @Option(
    help: ArgumentHelp(
      "An autoencoder: a name from `lvae models list`, or a path as for `lvae encode`; several may be "
        + "given. Without it, the built-in photo.", valueName: "name|path"))
  var model: [String] = []

  @Option(
    help: ArgumentHelp(
      "How latents are stored: int8 without it; several, with commas between them; or all.",
      valueName: "storage"))
  var storage: [StorageArgument] = []

  @Flag(
    inversion: .prefixedNo,
    help: "Also encode the pictures as JPEG, WebP and PNG, which takes most of the time.")
  var codecs = true

  @OptionGroup var reportOptions: ReportOptions

  private struct Loaded: Sendable {
    let image: Image
    let sha256: String
  }

  func run() throws {
    let extensions = Set(ImageFormat.allCases.flatMap(\.fileExtensions))
    let list = try InputWalker.expand(inputs, extensions: extensions)
    try reportOptions.checkPath()
    let references: [String?] = model.isEmpty ? [nil] : model
    let evaluator = PictureEvaluator(
      codecs: try references.map { LatentCodec(try ModelStore().load($0)) },
      storages: storages, comparesCodecs: codecs)
    let totals = TotalsRecorder(EvaluationTotals(for: evaluator))
    let command = FileCommand(label: "eval", verb: "evaluated", options: reportOptions.run)
    let summary = try evaluate(list, evaluator, totals, command)
    if summary.done > 0 { try show(totals.current, summary) }
    try command.conclude(summary)
  }

  private var storages: [LatentStorage] {
    var storages: [LatentStorage] = []
    for storage in storage.flatMap(\.storages) where !storages.contains(storage) {
      storages.append(storage)
    }
    return storages.isEmpty ? [.int8] : storages
  }

  private func evaluate(
    _ list: InputList, _ evaluator: PictureEvaluator, _ totals: TotalsRecorder,
    _ command: FileCommand
  ) throws -> RunSummary {
    // Nothing is written: the plan only names the files.
    let files = list.files.map { PlannedFile(input: $0, outputPath: "") }
    let plan = ThumbnailPlan(pictureCount: files.count, modelCount: evaluator.codecs.count)
    let shown =
      reportOptions.report == nil
      ? [] : Set(files.indices.filter(plan.shows).map { files[$0].input.relativePath })
    let job = FileJob(
      read: { file in
        let bytes = try FileReading.bytes(of: file.input)
        return Loaded(
          image: try Image(decoding: bytes), sha256: SHA256.hexadecimal(of: bytes))
      },
      compute: { file, loaded in
        let side = shown.contains(file.input.relativePath) ? plan.side : nil
        return (
          loaded.image,
          try evaluator.evaluate(
            loaded.image, sourceSHA256: loaded.sha256, thumbnailSide: side)
        )
      },
      pack: { _, computed in
        var (image, evaluation) = computed
        try evaluator.addCodecs(to: &evaluation, of: image)
        return FileRun.Result(bytes: nil, note: evaluation)
      })
    return try command.process(
      files, list.failures, force: true, job, in: command.session(total: files.count)
    ) { file, outcome in
      if case .done(let evaluation) = outcome { totals.add(evaluation, file.input.path) }
    }
  }

  private func show(_ totals: EvaluationTotals, _ summary: RunSummary) throws {
    let page = EvaluationReport(totals, failures: summary.failures)
    print(
      reportOptions.json
        ? try JSONLines.line(EvaluationRecord(totals, summary: summary)) : page.text)
    fflush(nil)
    if let report = reportOptions.report { try page.write(to: report) }
  }
}

/// Totals that the stages' threads add to.
private final class TotalsRecorder: Sendable {
  private let totals: Mutex<EvaluationTotals>

  init(_ totals: EvaluationTotals) { self.totals = Mutex(totals) }

  func add(_ evaluation: PictureEvaluation, _ path: String) {
    totals.withLock { $0.add(evaluation, input: path) }
  }

  var current: EvaluationTotals { totals.withLock { $0 } }
}

/// What `--storage int8,int6` or `--storage all` says.
struct StorageArgument: ExpressibleByArgument {
  let storages: [LatentStorage]

  init?(argument: String) {
    if argument == "all" {
      storages = LatentStorage.allCases
      return
    }
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
    let known = parts.compactMap { LatentStorage(rawValue: String($0)) }
    guard known.count == parts.count else { return nil }
    storages = known
  }

  static var allValueStrings: [String] { LatentStorage.allCases.map(\.rawValue) + ["all"] }
}
