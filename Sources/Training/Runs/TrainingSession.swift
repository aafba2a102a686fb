import Foundation
import Images
import Pipelines
import Tensors

/// The loop of a run: steps, and what is written between them.
struct TrainingSession<Work: TrainingWork> {
  private var work: Work
  private let folder: RunFolder
  private let checkpoints: CheckpointFolder
  private var log: TrainingLog?
  private let processes: ProcessGroup
  private let report: @Sendable (TrainingEvent) -> Void
  private var window = LogWindow<Work.Report>()
  private var samples: TrainingReport.Picture?
  private var lastPage = ContinuousClock.now

  private var settings: RunSettings { work.settings.train }

  private static var pageInterval: Duration { .seconds(5) }

  init(
    _ work: Work, folder: RunFolder, checkpoints: CheckpointFolder, log: TrainingLog?,
    processes: ProcessGroup, report: @escaping @Sendable (TrainingEvent) -> Void
  ) {
    self.work = work
    self.folder = folder
    self.checkpoints = checkpoints
    self.log = log
    self.processes = processes
    self.report = report
  }

  /// Makes the steps that are left, and then the model.
  mutating func run(stop: () -> Bool) throws -> TrainingEnd {
    if work.step < settings.steps {
      work.start { [report] in report(.notice($0)) }
      window.start()
      while work.step < settings.steps {
        if try processes.any(stop()) {
          if processes.isFirst {
            try saveCheckpoint()
            try writePage(isOver: true)
          }
          return .stopped(step: work.step)
        }
        let step = try work.makeStep()
        if isDue(every: settings.checkpointEvery) { try checkAgreement() }
        guard processes.isFirst else { continue }
        window.add(step)
        report(.progress(line(for: step)))
        try writeWhatIsDue()
      }
    }
    if processes.isFirst { try finish() }
    try processes.meet()
    return .finished
  }

  /// Processes whose weights went apart would train no one model.
  private func checkAgreement() throws {
    guard processes.count > 1 else { return }
    var digest = SHA256()
    for tensor in work.weights { digest.update(tensor.bytes) }
    try processes.checkAgreement(digest, of: "weights", step: work.step)
  }

  /// The numbers of the steps so far.
  private var entries: [TrainingLog.Entry] { log?.entries ?? [] }

  /// How far the run is.
  private func line(for step: Work.Report) -> ProgressLine {
    var line = ProgressLine(step: work.step, stepCount: settings.steps)
    work.show(step, in: &line)
    line.imagesPerSecond = window.stepsPerSecond * Double(work.examplesPerStep)
    line.remaining = window.time(for: settings.steps - work.step)
    return line
  }

  // MARK: Between steps

  private func isDue(every interval: Int) -> Bool {
    interval > 0 && (work.step % interval == 0 || work.step == settings.steps)
  }

  private mutating func writeWhatIsDue() throws {
    if isDue(every: settings.logEvery) {
      let speed = window.stepsPerSecond * Double(work.examplesPerStep)
      try add(work.values(of: window.reports) + [("images_per_second", speed)])
      window.start()
      if ContinuousClock.now - lastPage > Self.pageInterval { try writePage() }
    }
    let isSampling = isDue(every: settings.sampleEvery)
    let isMeasuring = work.hasValidation && isDue(every: settings.validateEvery)
    if isSampling || isMeasuring {
      try validate(isMeasuring: isMeasuring, isSampling: isSampling)
      try writePage()
      window.pause()
    }
    if isDue(every: settings.checkpointEvery) {
      try saveCheckpoint()
      window.pause()
    }
  }

  private mutating func add(_ values: [(name: String, value: Double)]) throws {
    let entry = TrainingLog.Entry(step: work.step, values: values)
    try log?.append(entry)
    report(.logged(entry))
  }

  private mutating func validate(isMeasuring: Bool, isSampling: Bool) throws {
    let (values, image) = try work.validate(isMeasuring: isMeasuring, isSampling: isSampling)
    if isMeasuring { try add(values) }
    guard isSampling, let image else { return }
    let digits = String(work.step)
    let number = String(repeating: "0", count: max(0, 9 - digits.count)) + digits
    try AtomicFile.write(
      try image.encoded(as: .png()), to: "\(folder.samplesPath)/step-\(number).png")
    samples = TrainingReport.Picture(
      caption: "step \(work.step): \(work.samplesText)", image: image)
  }

  private func saveCheckpoint() throws {
    try checkpoints.save(try work.checkpoint)
  }

  private mutating func writePage(isOver: Bool = false) throws {
    lastPage = .now
    let page = RunPage(
      title: "\(Work.command): \(folder.name)", settings: work.settings.text, step: work.step,
      stepCount: settings.steps, facts: work.facts(in: entries),
      charts: work.charts(in: entries), samples: samples ?? lastSamples(), isOver: isOver)
    try page.report.write(to: folder.reportPath)
  }

  /// The samples that a run wrote before it was stopped.
  private func lastSamples() -> TrainingReport.Picture? {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.samplesPath)) ?? []
    guard let name = names.filter({ $0.hasPrefix("step-") }).max(),
      let image = try? Image(
        contentsOf: URL(filePath: "\(folder.samplesPath)/\(name)"))
    else { return nil }
    return TrainingReport.Picture(caption: name, image: image)
  }

  // MARK: The end

  private mutating func finish() throws {
    if !checkpoints.steps.contains(work.step) { try saveCheckpoint() }
    // A model from before this run's end isn't its result.
    try folder.removeResult()
    var result = JSONObject()
    result["step"] = JSONValue(work.step)
    let report = report
    let fields = try work.finish(in: folder, log: entries) { report(.notice($0)) }
    for (key, value) in fields.members.map({ ($0.key, $0.value) }) { result[key] = value }
    try folder.write(result: result)
    try writePage(isOver: true)
  }
}

extension TrainingSession {
  /// Takes a run up where its newest checkpoint is, or begins it.
  ///
  /// - Parameters:
  ///   - folder: the run's, which is open.
  ///   - settings: the run's.
  ///   - architecture: the fields of the network's `config.json`.
  ///   - processes: those that train together; the first alone writes.
  ///   - report: called with what happens.
  ///   - begin: makes the work, and restores it from a checkpoint if there is one.
  /// - Returns: the session; nil if the run was finished before.
  /// - Throws: what `begin` throws, `TrainingCheckpointError`, and errors that name a file.
  static func opened(
    in folder: RunFolder, settings: Work.Settings, architecture: JSONObject,
    processes: ProcessGroup, report: @escaping @Sendable (TrainingEvent) -> Void,
    begin: (TrainingCheckpoint?) throws -> Work
  ) throws -> TrainingSession? {
    let checkpoints = folder.checkpoints(keeping: settings.train.keepCheckpoints)
    let found = try checkpoints.newest(settings: settings, architecture: architecture) {
      report(.notice($0))
    }
    if let result = folder.result(), found?.step == settings.train.steps,
      result["step"] == JSONValue(settings.train.steps)
    {
      return nil
    }
    let work = try begin(found)
    if let found { report(.notice("going on after step \(found.step)")) }
    guard processes.isFirst else {
      return TrainingSession(
        work, folder: folder, checkpoints: checkpoints, log: nil, processes: processes,
        report: report)
    }
    // What can't be written now couldn't be written after hours, either.
    try AtomicFile.write(Array(settings.text.utf8), to: folder.settingsPath)
    let log = try TrainingLog(path: folder.logPath, resumingAfter: work.step)
    return TrainingSession(
      work, folder: folder, checkpoints: checkpoints, log: log, processes: processes,
      report: report)
  }
}
