import ArgumentParser
import Foundation
import LatentFiles
import Models
import Pipelines
import Synchronization

struct MergeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge",
    abstract: "Check that the shards of a run cover all inputs; list and retry failures.",
    usage: "lvae merge [<options>] <results>",
    discussion: """
      `encode` and `decode` with --shard or --claim write a manifest for each part into .lvae in \
      the folder of results. This command reads them all: inputs = outputs + failures must hold, \
      every output must be there, of the right size, model and picture. With --inputs the folders \
      that were encoded are walked again, so that files which came later show. --retry makes \
      what failed or is missing, with the manifests' settings. .lvae/manifest.jsonl then says \
      what became of each input. Exit status 0: all inputs have their outputs.
      """)

  @Argument(help: "The folder of results, in which .lvae lies.")
  var results: String

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("The folders, files or tars that were encoded.", valueName: "input"))
  var inputs: [String] = []

  @Flag(help: "Make what failed or is missing; needs --inputs.")
  var retry = false

  @OptionGroup var modelOptions: ModelOptions
  @OptionGroup var memoryOptions: MemoryOptions
  @OptionGroup var runOptions: RunOptions

  func validate() throws {
    if retry, inputs.isEmpty {
      throw ValidationError("--retry needs --inputs: the folders that were encoded")
    }
  }

  private struct Problem: Encodable {
    let input, status, error: String
  }

  private struct Summary: Encodable {
    struct Counts: Encodable {
      let command: String
      let model: ManifestHead.Model?
      let shards, inputs, done, failed, damaged, uncovered: Int
      let missingShards, unfinishedShards: [Int]
      let isOneList, isComplete: Bool
    }
    let merged: Counts
  }

  func run() throws {
    let folder = ManifestFolder(results: results)
    var coverage = try Coverage(of: folder)
    try checkModel(coverage, folder)
    if coverage.programs.count > 1 {
      runOptions.notice(
        "the shards were made by several versions: "
          + coverage.programs.sorted().joined(separator: ", "))
    }
    var uncovered: [InputFile] = []
    if !inputs.isEmpty {
      let (files, failures) = try plannedFiles(coverage.head)
      let open = coverage.open(among: files.map(\.input), withFailed: retry)
      if retry, !open.isEmpty { try retry(open, of: files, failures, &coverage) }
      uncovered = coverage.open(among: files.map(\.input), withFailed: false)
        .filter { coverage.damaged[$0.relativePath] == nil }
    }
    if coverage.isComplete, uncovered.isEmpty { try coverage.writeMerged() }
    try tell(coverage, uncovered)
  }

  private func checkModel(_ coverage: Coverage, _ folder: ManifestFolder) throws {
    guard let wanted = coverage.head.model, modelOptions.model != nil else { return }
    let given = try ModelStore().load(modelOptions.model, halves: .decoder)
    guard given.sha256 == wanted.sha256 else {
      throw ManifestError.otherModel(path: folder.path, wanted: wanted, given: given.sha256)
    }
  }

  // MARK: Trying again

  /// The inputs as the run that wrote the manifests saw them, and where their results go.
  private func plannedFiles(
    _ head: ManifestHead
  ) throws -> ([PlannedFile], [InputFailure]) {
    var input = InputOptions()
    (input.inputs, input.output, input.force) = (inputs, results, false)
    if let tars = try TarArguments(input, runOptions) { return (tars.files, tars.failures) }
    let isEncoding = head.command == "encode"
    let extensions = isEncoding ? PictureEncoding.extensions : ["latent"]
    let list = try InputWalker.expand(inputs, extensions: extensions)
    let format = DecodeCommand.Format(rawValue: head.settings["format"] ?? "") ?? .png
    let plan = try OutputPlan(
      for: list.files, inputExtensions: extensions, output: results,
      outputExtensions: isEncoding ? ["latent"] : format.extensions)
    return (plan.files, list.failures)
  }

  private func retry(
    _ open: [InputFile], of files: [PlannedFile], _ failures: [InputFailure],
    _ coverage: inout Coverage
  ) throws {
    let wanted = Set(open.map(\.relativePath))
    let again = files.filter { wanted.contains($0.input.relativePath) }
    let records = RecordList()
    let summary = try work(again, coverage.head, records)
    try coverage.update(
      records.all, list: files.map(\.input), unlisted: failures,
      isComplete: summary.signal == nil)
    if case .interrupted = summary.status { throw StatusError(status: summary.status) }
  }

  private final class RecordList: Sendable {
    private let records = Mutex<[ManifestRecord]>([])

    func add(_ record: ManifestRecord) { records.withLock { $0.append(record) } }

    var all: [ManifestRecord] { records.withLock { $0 } }
  }

  private func work(
    _ files: [PlannedFile], _ head: ManifestHead, _ records: RecordList
  ) throws -> RunSummary {
    var options = runOptions
    // What became of each is told in the end, with the others.
    options.json = false
    let command = FileCommand(
      label: head.command, verb: "\(head.command)d", options: options,
      memory: memoryOptions.limit)
    let session = command.session(total: files.count)
    if head.command == "encode" {
      let encoding = try encoding(head)
      return try work(
        files, command, session, encoding.job, encoding.hashes, encoding.members, records)
    }
    let given = try modelOptions.model.map { try ModelStore().load($0, halves: .decoder) }
    let attention = AttentionOptions.Reach(settings: head.settings)
    let decoding = LatentDecoding(
      models: LatentModels(
        store: ModelStore(), given: given, memory: memoryOptions.limit,
        attentionWindow: attention.window),
      format: DecodeCommand.Format(rawValue: head.settings["format"] ?? "") ?? .png,
      quality: head.settings["quality"].flatMap { Int($0) } ?? 90, attention: attention)
    return try work(
      files, command, session, decoding.job, decoding.hashes, decoding.members, records)
  }

  private func encoding(_ head: ManifestHead) throws -> PictureEncoding {
    let attention = AttentionOptions.Reach(settings: head.settings)
    let settings = head.settings.filter { attention.settings[$0.key] == nil }
    guard let wanted = head.model, let options = EncodingSettings.options(from: settings)
    else { throw RetryError.settings(head.settings) }
    let halves: AutoencoderHalves = options.maximumLoss == nil ? .encoder : .both
    let named = LatentModel(name: wanted.name, className: "", sha256: wanted.sha256)
    let model =
      try modelOptions.model == nil
      ? ModelStore().load(for: named, halves: halves)
      : ModelStore().load(modelOptions.model, halves: halves)
    guard var model else { throw RetryError.noModel(wanted) }
    model.attentionWindow = attention.window
    return PictureEncoding(
      codec: LatentCodec(model, memory: memoryOptions.limit), options: options,
      attention: attention)
  }

  private func work<Loaded: Sendable, Computed: Sendable, Facts: Encodable & Sendable>(
    _ files: [PlannedFile], _ command: FileCommand, _ session: FileSession,
    _ job: FileJob<Loaded, Computed, Facts>, _ hashes: SourceHashes,
    _ members: TarMemberWork<Loaded, Computed, Facts>, _ records: RecordList
  ) throws -> RunSummary {
    var input = InputOptions()
    (input.inputs, input.output, input.force) = (inputs, results, false)
    if let tars = try TarArguments(input, command.options) {
      return try TarRun(command: command, arguments: tars, force: false, work: members)
        .run(files, [], session, results: results, records.add)
    }
    return try command.perform(files, [], force: false, job, in: session) { file, outcome in
      records.add(ManifestRecord(file, outcome, sha256: hashes.take(file), in: results))
    }
  }

  // MARK: Telling

  private func tell(_ coverage: Coverage, _ uncovered: [InputFile]) throws {
    let failures = coverage.failures
    var problems = failures.map { Problem(input: $0.path, status: "failed", error: $0.reason) }
    problems += coverage.unlisted.map {
      Problem(input: $0.path, status: "failed", error: $0.reason)
    }
    problems += coverage.damaged.sorted { $0.key < $1.key }.map {
      Problem(input: $0.key, status: "damaged", error: $0.value)
    }
    problems += uncovered.map {
      Problem(input: $0.relativePath, status: "uncovered", error: "no shard has it")
    }
    let isComplete = coverage.isComplete && uncovered.isEmpty
    if runOptions.json {
      for problem in problems { FileCommand.print(problem) }
      FileCommand.print(
        Summary(
          merged: .init(
            command: coverage.head.command, model: coverage.head.model,
            shards: coverage.head.shards, inputs: coverage.head.inputs, done: coverage.doneCount,
            failed: failures.count, damaged: coverage.damaged.count, uncovered: uncovered.count,
            missingShards: coverage.missingShards, unfinishedShards: coverage.unfinishedShards,
            isOneList: coverage.isOneList, isComplete: isComplete)))
    } else {
      print(text(coverage, uncovered, failureCount: failures.count))
      for problem in problems {
        print("  \(RunSummary.Failure(path: problem.input, reason: problem.error))")
      }
    }
    if !problems.isEmpty || !isComplete {
      throw StatusError(status: coverage.doneCount > 0 ? .someFailed : .nothingDone)
    }
  }

  private func text(
    _ coverage: Coverage, _ uncovered: [InputFile], failureCount: Int
  ) -> String {
    let head = coverage.head
    let finished = head.shards - coverage.missingShards.count - coverage.unfinishedShards.count
    let failed = coverage.records.values.count { $0.status == .failed }
    var lines = [
      "\(finished) of \(head.shards) shards are finished: \(head.inputs) inputs, "
        + "\(coverage.doneCount) done, \(failed) failed"
        + (coverage.damaged.isEmpty ? "" : ", \(coverage.damaged.count) damaged or gone")
        + (uncovered.isEmpty ? "" : ", \(uncovered.count) not covered")
    ]
    func list(_ shards: [Int], _ what: String) {
      guard !shards.isEmpty else { return }
      let shown = shards.prefix(20).map(String.init).joined(separator: ", ")
      lines.append(
        "\(what): \(shown)\(shards.count > 20 ? ", …" : ""); run them again, or --retry here")
    }
    list(coverage.missingShards, "shards without a manifest")
    list(coverage.unfinishedShards, "shards that haven't come to their end")
    if !coverage.isOneList {
      lines.append("the shards saw different lists of inputs: encode again, or --retry here")
    }
    return lines.joined(separator: "\n")
  }
}

/// Why inputs can't be tried again.
enum RetryError: Error, CustomStringConvertible {
  case settings([String: String])
  case noModel(ManifestHead.Model)

  var description: String {
    switch self {
    case .settings(let settings):
      "the manifests have settings that this version doesn't know, \(settings.sorted { $0 < $1 }); "
        + "encode again with the version that wrote them"
    case .noModel(let model):
      "the model \(model.name) (weights \(model.sha256.prefix(12))…) isn't known here; name it with "
        + "--model, or add it with `lvae models add`"
    }
  }
}
