import Foundation
import Pipelines
import Synchronization
import Tensors
import Training

/// Shows a run of training: on a terminal one line that is drawn over and over, elsewhere a line now
/// and then; as JSON each line of the log on standard output.
final class TrainingDisplay: Sendable {
  private struct State {
    var lastDrawn: ContinuousClock.Instant?
    var isLineVisible = false
  }

  private let isQuiet, isJSON, isTerminal: Bool
  private let state = Mutex(State())

  init(isQuiet: Bool, isJSON: Bool) {
    self.isQuiet = isQuiet
    self.isJSON = isJSON
    isTerminal =
      Terminal.standardError.isTerminal
      && ProcessInfo.processInfo.environment["TERM", default: "dumb"] != "dumb"
  }

  /// Shows an event.
  @Sendable func show(_ event: TrainingEvent) {
    switch event {
    case .notice(let text): message(text)
    case .progress(let line): draw(line)
    case .logged(let entry):
      guard isJSON else { return }
      print(entry.text)
      fflush(nil)
    }
  }

  /// Prints a line of its own.
  func message(_ text: String) {
    guard !isQuiet else { return }
    clear()
    StandardError.write(text)
  }

  /// Takes the drawn line away.
  func clear() {
    state.withLock { state in
      if state.isLineVisible { Self.write("\r\u{1B}[K") }
      state.isLineVisible = false
    }
  }

  private func draw(_ line: ProgressLine) {
    guard !isQuiet else { return }
    state.withLock { state in
      let interval = isTerminal ? Duration.milliseconds(100) : .seconds(10)
      let isLast = line.step == line.stepCount
      if let last = state.lastDrawn, .now - last < interval, !isLast { return }
      state.lastDrawn = .now
      if isTerminal {
        let columns = Terminal.standardError.columns ?? 80
        Self.write("\r\(line.text(columns: columns - 1))\u{1B}[K")
        state.isLineVisible = true
      } else {
        StandardError.write(line.text())
      }
    }
  }

  private static func write(_ text: String) {
    // A closed pipe is no reason to stop.
    try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
  }
}
