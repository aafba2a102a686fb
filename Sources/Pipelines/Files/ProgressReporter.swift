import Synchronization

/// Tells a person how far a run is.
///
/// On a terminal it is a bar, drawn again at most ten times a second; elsewhere a plain line each
/// tenth of the way; or nothing. Any thread may call.
package final class ProgressReporter: Sendable {
  /// How progress is shown.
  package enum Style: Sendable {
    /// One line that is drawn over and over, as wide as `columns` says at the time.
    case bar(columns: @Sendable () -> Int)
    /// A line each 10 %.
    case lines
    /// No progress, and no messages.
    case quiet

    /// What suits standard error.
    ///
    /// - Parameters:
    ///   - quiet: Whether the user wants nothing.
    ///   - terminal: What standard error is connected to.
    ///   - environment: `TERM=dumb` can't draw a bar; `COLUMNS` helps where a terminal doesn't say
    ///     its width.
    /// - Returns: The style.
    package static func standardError(
      quiet: Bool, terminal: Terminal = .standardError, environment: [String: String]
    ) -> Style {
      if quiet { return .quiet }
      guard terminal.isTerminal, environment["TERM", default: "dumb"] != "dumb" else {
        return .lines
      }
      let fallback = environment["COLUMNS"].flatMap { Int($0) } ?? 80
      return .bar { terminal.columns ?? fallback }
    }
  }

  /// What became of an item.
  package enum Step: Sendable {
    /// It is done.
    case done
    /// It was done before.
    case upToDate
    /// It failed.
    case failed
  }

  private struct State {
    var done = 0
    var upToDate = 0
    var failed = 0
    var lastDrawn: Duration?
    var tenths = 0
    var isBarVisible = false

    var count: Int { done + upToDate + failed }
  }

  private let label: String
  private let total: Int
  private let style: Style
  private let clock: @Sendable () -> Duration
  private let output: @Sendable (String) -> Void
  private let start: Duration
  private let state = Mutex(State())
  private static let redrawInterval = Duration.milliseconds(100)

  /// A reporter that starts to measure now.
  ///
  /// - Parameters:
  ///   - label: What is being done: "encode".
  ///   - total: How many items there are.
  ///   - style: How progress is shown.
  ///   - clock: Time since any fixed moment.
  ///   - output: Where text goes; by default standard error.
  package init(
    label: String, total: Int, style: Style, clock: (@Sendable () -> Duration)? = nil,
    output: (@Sendable (String) -> Void)? = nil
  ) {
    self.label = label
    self.total = total
    self.style = style
    let origin = ContinuousClock.now
    self.clock = clock ?? { ContinuousClock.now - origin }
    self.output = output ?? SystemCalls.writeToStandardError
    start = self.clock()
  }

  /// One more item is over.
  package func advance(_ step: Step = .done) {
    state.withLock { state in
      switch step {
      case .done: state.done += 1
      case .upToDate: state.upToDate += 1
      case .failed: state.failed += 1
      }
      show(&state)
    }
  }

  /// Draws the bar, also if nothing has happened yet.
  package func begin() {
    state.withLock { show(&$0) }
  }

  /// Prints a line of its own, above the bar.
  package func message(_ text: String) {
    state.withLock { state in
      if case .quiet = style { return }
      clearBar(&state)
      output(Self.printable(text) + "\n")
      if case .bar(let columns) = style { draw(&state, columns: columns()) }
    }
  }

  /// Takes the bar away.
  ///
  /// Lines that are printed by others don't mix with it after that.
  package func finish() {
    state.withLock { clearBar(&$0) }
  }

  // MARK: Drawing

  private func show(_ state: inout State) {
    switch style {
    case .quiet: return
    case .lines:
      let tenths = total > 0 ? state.count * 10 / total : 0
      guard tenths > state.tenths else { return }
      state.tenths = tenths
      output("\(label): \(figures(state))\n")
    case .bar(let columns):
      let now = clock()
      if let last = state.lastDrawn, now - last < Self.redrawInterval, state.count < total {
        return
      }
      draw(&state, columns: columns())
    }
  }

  private func draw(_ state: inout State, columns: Int) {
    // A line that reaches the last column would wrap.
    let room = max(10, columns) - 1
    let text = figures(state)
    let barRoom = room - label.count - text.count - 4
    var line = "\(label) \(text)"
    if barRoom >= 8 {
      let width = min(barRoom, 40)
      let filled = total > 0 ? min(width, width * state.count / total) : 0
      let bar =
        String(repeating: "#", count: filled) + String(repeating: "-", count: width - filled)
      line = "\(label) [\(bar)] \(text)"
    }
    output("\r\(line.prefix(room))\(eraseToEnd)")
    state.isBarVisible = true
    state.lastDrawn = clock()
  }

  private func clearBar(_ state: inout State) {
    guard state.isBarVisible else { return }
    output("\r\(eraseToEnd)")
    state.isBarVisible = false
  }

  private let eraseToEnd = "\u{1B}[K"

  /// A file's name may hold characters that move the cursor: they are shown as `?`.
  private static func printable(_ text: String) -> String {
    String(
      String.UnicodeScalarView(
        text.unicodeScalars.map { scalar in
          let isControl = scalar.properties.generalCategory == .control
          return isControl && scalar != "\n" && scalar != "\t" ? "?" : scalar
        }))
  }

  /// What is known: `430/1000 43%, 12.3/s, 0:46 left, 2 failed`.
  private func figures(_ state: State) -> String {
    let percent = total > 0 ? state.count * 100 / total : 100
    var parts = ["\(state.count)/\(total) \(percent)%"]
    let elapsed = clock() - start
    // What was done before costs no time: it would make the rest look quick.
    let worked = state.done + state.failed
    if worked > 0, elapsed > .zero {
      let rate = Double(worked) / elapsed.inSeconds
      parts.append(Self.rateText(rate))
      if state.count < total {
        let left = Duration.seconds(Double(total - state.count) / rate)
        parts.append("\(left.clockText) left")
      }
    }
    if state.failed > 0 { parts.append("\(state.failed) failed") }
    return parts.joined(separator: ", ")
  }

  /// `12.3/s`, or for slow work `4.5 s each`.
  private static func rateText(_ rate: Double) -> String {
    if rate >= 1 { return "\(rate.text(digits: rate < 100 ? 1 : 0))/s" }
    return "\((1 / rate).text(digits: 1)) s each"
  }
}
