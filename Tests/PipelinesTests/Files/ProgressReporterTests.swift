import Foundation
import Pipelines
import Synchronization
import Testing

/// A clock that is set by hand, and what was printed.
private final class Stage: Sendable {
  private let state = Mutex((time: Duration.zero, texts: [String]()))

  func wait(_ time: Duration) { state.withLock { $0.time += time } }
  func reporter(_ total: Int, _ style: ProgressReporter.Style) -> ProgressReporter {
    ProgressReporter(
      label: "encode", total: total, style: style,
      clock: { self.state.withLock { $0.time } },
      output: { text in self.state.withLock { $0.texts.append(text) } })
  }
  var texts: [String] { state.withLock { $0.texts } }
}

@Suite struct ProgressReporterTests {
  @Test func elsewhereThereIsALineEachTenthOfTheWay() {
    let stage = Stage()
    let progress = stage.reporter(1000, .lines)
    for index in 0..<1000 {
      stage.wait(.milliseconds(10))
      progress.advance(index == 500 ? .failed : .done)
    }
    #expect(stage.texts.count == 10)
    #expect(stage.texts[0] == "encode: 100/1000 10%, 100/s, 0:09 left\n")
    #expect(stage.texts[9] == "encode: 1000/1000 100%, 100/s, 1 failed\n")
  }

  @Test func fewItemsMakeFewLines() {
    let stage = Stage()
    let progress = stage.reporter(3, .lines)
    for _ in 0..<3 {
      stage.wait(.seconds(5))
      progress.advance()
    }
    #expect(stage.texts.count == 3)
    #expect(stage.texts[0] == "encode: 1/3 33%, 5.0 s each, 0:10 left\n")
  }

  @Test func quietIsSilent() {
    let stage = Stage()
    let progress = stage.reporter(2, .quiet)
    progress.begin()
    progress.advance()
    progress.message("hello")
    progress.finish()
    #expect(stage.texts.isEmpty)
  }

  @Test func aBarIsDrawnAtMostTenTimesASecond() {
    let stage = Stage()
    let progress = stage.reporter(5000, .bar(columns: { 80 }))
    for _ in 0..<5000 {
      stage.wait(.milliseconds(1))
      progress.advance()
    }
    #expect(stage.texts.count >= 49 && stage.texts.count <= 52)
    #expect(stage.texts.last?.contains("5000/5000 100%") == true)
  }

  @Test(arguments: [1, 10, 20, 40, 60, 80, 200])
  func aBarFitsItsLine(columns: Int) {
    let stage = Stage()
    let progress = stage.reporter(4, .bar(columns: { columns }))
    for _ in 0..<4 {
      stage.wait(.seconds(1))
      progress.advance()
    }
    for text in stage.texts {
      #expect(text.hasPrefix("\r") && text.hasSuffix("\u{1B}[K"))
      #expect(text.count - 4 < max(10, columns))
    }
    #expect(stage.texts.last?.contains("####") == (columns >= 40))
  }

  @Test func messagesStandAboveTheBar() {
    let stage = Stage()
    let progress = stage.reporter(4, .bar(columns: { 80 }))
    progress.advance()
    progress.message("a.jpg: not an image")
    progress.finish()
    #expect(stage.texts.count == 5)
    #expect(stage.texts[1] == "\r\u{1B}[K")
    #expect(stage.texts[2] == "a.jpg: not an image\n")
    #expect(stage.texts[3].hasPrefix("\rencode ["))
    #expect(stage.texts[4] == "\r\u{1B}[K")
  }

  @Test func aFileNameCannotMoveTheCursor() {
    let stage = Stage()
    stage.reporter(1, .lines).message("a\u{1B}[2J\r\u{9B}.jpg: ä")
    #expect(stage.texts == ["a?[2J??.jpg: ä\n"])
  }

  @Test func whatWasDoneBeforeDoesNotMakeTheRestLookQuick() {
    let stage = Stage()
    let progress = stage.reporter(100, .lines)
    for _ in 0..<80 { progress.advance(.upToDate) }
    for _ in 0..<10 {
      stage.wait(.seconds(1))
      progress.advance()
    }
    #expect(stage.texts.last == "encode: 90/100 90%, 1.0/s, 0:10 left\n")
  }

  @Test func aTerminalGetsABarAsWideAsItIs() {
    // The far end of a pseudo-terminal is one, too, and has the same width.
    let descriptor = unsafe open("/dev/ptmx", O_RDWR | O_NOCTTY)
    #expect(descriptor >= 0)
    defer { close(descriptor) }
    var size = winsize(ws_row: 24, ws_col: 123, ws_xpixel: 0, ws_ypixel: 0)
    #expect(unsafe ioctl(descriptor, UInt(TIOCSWINSZ), &size) == 0)

    let terminal = Terminal(descriptor: descriptor)
    let style = { (quiet: Bool, name: String) in
      ProgressReporter.Style.standardError(
        quiet: quiet, terminal: terminal, environment: ["TERM": name, "COLUMNS": "50"])
    }
    guard case .bar(let columns) = style(false, "xterm") else {
      Issue.record("no bar on a terminal")
      return
    }
    #expect(columns() == 123)
    size.ws_col = 0
    #expect(unsafe ioctl(descriptor, UInt(TIOCSWINSZ), &size) == 0)
    #expect(columns() == 50)
    guard case .lines = style(false, "dumb"), case .quiet = style(true, "xterm") else {
      Issue.record("a bar where none should be")
      return
    }
  }

  @Test func aFileIsNoTerminal() {
    let file = unsafe open("/dev/null", O_WRONLY)
    defer { close(file) }
    #expect(!Terminal(descriptor: file).isTerminal)
    #expect(Terminal(descriptor: file).columns == nil)
  }
}
