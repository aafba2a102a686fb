import ArgumentParser
import Foundation
import Layers
import Models
import Pipelines
import Tensors
import Training

struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measure how fast this machine computes.",
    discussion: """
      Multiplications and additions in registers (the peak), convolution layers, whole models, and \
      the stages from picture files to .latent files. Times are medians after a warm-up, with the \
      shortest and the longest; GFLOP/s count the direct formula, so that algorithms with fewer \
      multiplications may exceed the peak. Without --model, models are built-in architectures \
      with random weights.

      With --job, only one way through one half of a model is measured, such as \
      taesd-decode-512, with the tensor "input" of a safetensors file as its input and "output" as \
      its result, both [1, C, H, W]. unet-32-b8 is an estimate of a denoiser for 8 latents of \
      32×32, and train-unet-32-b32 a step of its training. train-kl-64-b16 are steps of an \
      autoencoder's training, with a batch "input", "noise" for its latents, and the losses of the \
      steps as "output". With --memory, a job is computed as `lvae encode` and `lvae decode` do it, \
      from or to a picture in 8 bits.
      """)

  enum Part: String, ExpressibleByArgument, CaseIterable {
    case layers, models, stages
  }

  @OptionGroup var modelOptions: ModelOptions

  @Option(help: ArgumentHelp("Threads that compute; all processors without it.", valueName: "n"))
  var threads: Int?

  @Flag(help: "One line of JSON on standard output.")
  var json = false

  @Option(name: .customLong("repeat"), help: "How often each thing is measured.")
  var repeats = 5

  @Option(
    help: ArgumentHelp(
      "Only this part; may be given several times. The peak is always measured.",
      valueName: "part"))
  var only: [Part] = []

  @Option(help: ArgumentHelp("Only layers whose names contain this.", valueName: "text"))
  var layer: String?

  @Option(
    help: ArgumentHelp("The side of the pictures; 256 for sd and 512 else.", valueName: "pixels"))
  var size: Int?

  @Option(help: ArgumentHelp("Only this: sd-decode-512, taesd-encode-256 …", valueName: "name"))
  var job: String?

  @Option(help: ArgumentHelp("The job's input; random without it.", valueName: "safetensors"))
  var input: String?

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Where the job's output goes.", valueName: "safetensors"))
  var output: String?

  @OptionGroup var memoryOptions: MemoryOptions
  @OptionGroup var attentionOptions: AttentionOptions

  func validate() throws {
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads \(threads): a number from 1 to 1024 is expected")
    }
    if repeats < 1 { throw ValidationError("--repeat \(repeats): at least 1 is expected") }
    if let size, !(8...65536).contains(size) {
      throw ValidationError("--size \(size): a number from 8 to 65536 is expected")
    }
    if let job, BenchmarkJob(job) == nil, TrainingBenchmark(job) == nil,
      DenoiserBenchmarkJob(job) == nil
    {
      throw ValidationError(
        "--job \(job): a name such as sd-decode-512, train-kl-64-b16 or unet-32-b8 is expected")
    }
    if job == nil, input != nil || output != nil {
      throw ValidationError("--input and --output belong to --job")
    }
    let hasLimit = memoryOptions.memory != nil
    if hasLimit || attentionOptions.attention != .exact, job.flatMap(BenchmarkJob.init) == nil {
      throw ValidationError("--memory and --attention belong to a --job such as sd-decode-2048")
    }
    if hasLimit, input != nil || output != nil {
      throw ValidationError("--memory takes a random picture or latent, and keeps no result")
    }
  }

  func run() throws {
    guard let threads else { return try measure() }
    try ThreadPool.$current.withValue(ThreadPool(threadCount: threads), operation: measure)
  }

  private func measure() throws {
    if let row = try job.flatMap(BenchmarkJob.init).map(measure)
      ?? job.flatMap(TrainingBenchmark.init).map(measure)
      ?? job.flatMap(DenoiserBenchmarkJob.init).map(measure)
    {
      print(json ? try JSONLines.line(row) : BenchmarkText.line(row))
      return
    }
    var report = BenchmarkReport(machine: .measured(repeats: repeats))
    let peak = report.machine.currentPeakGflops
    show(BenchmarkText.text(report.machine))
    if includes(.layers) {
      show("\nconvolution layers (GFLOP/s of the direct formula)")
      for layer in LayerBenchmark.all where self.layer.map(layer.name.contains) ?? true {
        report.layers.append(layer.measure(repeats: repeats, peakGflops: peak))
        show(report.layers.last.map(BenchmarkText.line))
      }
    }
    if includes(.models) {
      show("\nmodels")
      for job in jobs() {
        var row = try measureApart(job)
        row.percentOfPeak = peak.map { row.gflops / $0 * 100 }
        report.models.append(row)
        show(BenchmarkText.line(row))
      }
    }
    if includes(.stages) {
      report.stages = try StageBenchmark.measure(
        try stageModel(), size: size ?? 512, pictures: max(2, repeats))
      show("\nstages, one PNG picture of \(size ?? 512)×\(size ?? 512) to a .latent file")
      for stage in report.stages { show(BenchmarkText.line(stage)) }
    }
    if json { print(try JSONLines.line(report)) }
  }

  private func includes(_ part: Part) -> Bool { only.isEmpty || only.contains(part) }

  private func show(_ text: String?) {
    guard !json, let text else { return }
    print(text)
    fflush(nil)
  }

  // MARK: Models

  private func jobs() -> [BenchmarkJob] {
    let families = modelOptions.model == nil ? ["sd", "taesd"] : ["model"]
    return families.flatMap { family in
      [AutoencoderHalves.decoder, .encoder].map { half in
        BenchmarkJob(family: family, half: half, size: size ?? (family == "sd" ? 256 : 512))
      }
    }
  }

  private func stageModel() throws -> PretrainedAutoencoder {
    if modelOptions.model != nil { return try ModelStore().load(modelOptions.model) }
    guard let model = BenchmarkJob(family: "taesd", half: .encoder, size: 8).randomModel else {
      throw BenchmarkError.unknownFamily("taesd")
    }
    return PretrainedAutoencoder(name: "taesd", autoencoder: model)
  }

  private func measure(_ job: BenchmarkJob) throws -> JobRow {
    let start = ContinuousClock.now
    var model: any Autoencoder
    if modelOptions.model != nil {
      model = try ModelStore().load(modelOptions.model, halves: job.half).autoencoder
    } else {
      guard let random = job.randomModel else { throw BenchmarkError.unknownFamily(job.family) }
      model = random
    }
    model.attentionWindow = attentionOptions.attention.window
    let loadTime = ContinuousClock.now - start
    guard job.size % model.spatialFactor == 0 else {
      throw BenchmarkError.size(job.size, factor: model.spatialFactor)
    }
    if memoryOptions.memory != nil {
      let pretrained = PretrainedAutoencoder(
        name: modelOptions.model ?? "random weights", autoencoder: model)
      let codec = LatentCodec(pretrained, memory: memoryOptions.limit)
      return JobRow(
        job, model, named: pretrained.name, try job.run(codec, repeats: repeats),
        loadTime: loadTime)
    }
    let tensor = try inputTensor("input") ?? job.randomInput(for: model)
    let (timing, result) = try job.run(model, on: tensor, repeats: repeats)
    let row = JobRow(
      job, model, named: modelOptions.model ?? "random weights", timing, loadTime: loadTime)
    try write(result)
    return row
  }

  private func measure(_ job: DenoiserBenchmarkJob) throws -> JobRow {
    let start = ContinuousClock.now
    var model = DenoiserBenchmarkJob.randomModel
    if let path = modelOptions.model {
      let given = try ImportedModel(contentsOf: URL(filePath: path)).denoiser()
      guard let denoiser = given as? UNet2DModel else {
        throw BenchmarkError.noDenoiser(job: job.name)
      }
      model = denoiser
    }
    let loadTime = ContinuousClock.now - start
    let tensor = try inputTensor("input") ?? job.randomInput(for: model)
    var settings = AdamW.Settings()
    settings.weightDecay = 0
    var optimizer = AdamW(settings)
    let (timing, result) = try job.run(&model, on: tensor, repeats: repeats) { model, gradient in
      optimizer.update(&model, learningRate: 1e-4) { gradient[$0] }
    }
    try write(result)
    return JobRow(
      job, model, named: modelOptions.model ?? "random weights", timing, loadTime: loadTime)
  }

  private func measure(_ job: TrainingBenchmark) throws -> JobRow {
    let start = ContinuousClock.now
    let model: any Autoencoder =
      modelOptions.model == nil
      ? TrainingBenchmark.randomModel : try ModelStore().load(modelOptions.model).autoencoder
    let loadTime = ContinuousClock.now - start
    guard job.size % model.spatialFactor == 0 else {
      throw BenchmarkError.size(job.size, factor: model.spatialFactor)
    }
    let random = job.randomInput(for: model)
    let (timing, losses) = try job.run(
      model, batch: inputTensor("input") ?? random.batch,
      noise: inputTensor("noise") ?? random.noise, repeats: repeats)
    let row = JobRow(
      job, model, named: modelOptions.model ?? "random weights", timing, loadTime: loadTime)
    try write(losses)
    return row
  }

  private func inputTensor(_ name: String) throws -> Tensor? {
    try input.map { try Safetensors(contentsOf: URL(filePath: $0)).tensor(named: name) }
  }

  private func write(_ result: Tensor) throws {
    guard let output else { return }
    try Data(Safetensors.encoded(tensors: [("output", result)])).write(to: URL(filePath: output))
  }

  /// Measures a job in a process of its own, so that its peak of memory is its own too.
  private func measureApart(_ job: BenchmarkJob) throws -> JobRow {
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    process.arguments =
      ["bench", "--json", "--job", job.name, "--repeat", "\(repeats)"]
      + ["--threads", "\(ThreadPool.current.threadCount)"]
      + (modelOptions.model.map { ["--model", $0] } ?? [])
    process.standardOutput = pipe
    try process.run()
    let line = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    // What went wrong has been said on standard error.
    guard process.terminationStatus == 0 else { throw StatusError(status: .nothingDone) }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(JobRow.self, from: line)
  }
}

/// The rows of a benchmark, for people.
enum BenchmarkText {
  static func text(_ machine: MachineRow) -> String {
    var lines = [
      "lvae \(machine.version), \(machine.isa), threads: \(machine.threads)"
        + (machine.loadAverage.map { ", load \(decimal($0, 2))" } ?? "")
    ]
    for (isa, gflops) in machine.peakGflops.sorted(by: { $0.value < $1.value }) {
      lines.append("  " + left("peak \(isa)", 22) + right(decimal(gflops, 1), 9) + " GFLOP/s")
    }
    return lines.joined(separator: "\n")
  }

  static func line(_ row: LayerRow) -> String {
    "  " + left(row.layer, 22) + left(row.algorithm, 18)
      + times(row.medianMs, row.minMs, row.maxMs) + speed(row.gflops, row.percentOfPeak)
  }

  static func line(_ row: JobRow) -> String {
    "  " + left(row.job, 22) + times(row.medianMs, row.minMs, row.maxMs)
      + right(decimal(row.msPerMegapixel, 0), 8) + " ms/Mpixel"
      + speed(row.gflops, row.percentOfPeak)
      + (row.peakMb.map { right(decimal($0, 0), 7) + " MB" } ?? "")
  }

  static func line(_ row: StageRow) -> String {
    "  " + left(row.stage, 22) + times(row.medianMs, row.minMs, row.maxMs)
  }

  private static func times(_ median: Double, _ least: Double, _ most: Double) -> String {
    right(decimal(median, 2), 10) + " ms "
      + left("(\(decimal(least, 2))–\(decimal(most, 2)))", 20)
  }

  private static func speed(_ gflops: Double, _ percent: Double?) -> String {
    right(decimal(gflops, 1), 8) + " GFLOP/s"
      + (percent.map { right(decimal($0, 0), 5) + " % of peak" } ?? "")
  }

  private static func decimal(_ value: Double, _ digits: Int) -> String {
    value.text(digits: digits)
  }

  private static func left(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(1, width - text.count))
  }

  private static func right(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }
}
