import Pipelines

/// The steps since the last line of the log, and how fast they were.
struct LogWindow<Report> {
  private(set) var reports: [Report] = []
  /// Time at work since the last line, without validations and checkpoints.
  private var elapsed = Duration.zero
  private var begin = ContinuousClock.now
  private var allSteps = 0
  private var allElapsed = Duration.zero

  /// Begins anew after a line was written.
  mutating func start() {
    reports = []
    elapsed = .zero
    begin = .now
  }

  /// What happened since the last step was no training.
  mutating func pause() { begin = .now }

  mutating func add(_ report: Report) {
    reports.append(report)
    let time = ContinuousClock.now - begin
    begin = .now
    elapsed += time
    allElapsed += time
    allSteps += 1
  }

  /// Steps a second since the last line.
  var stepsPerSecond: Double { Double(reports.count) / max(1e-9, elapsed.inSeconds) }

  /// How long so many steps will take, as fast as those so far.
  func time(for stepCount: Int) -> Duration? {
    allSteps > 0 ? allElapsed / allSteps * stepCount : nil
  }
}
