import Foundation
import Pipelines
import TestSupport
import Testing

@Suite struct RunSummaryTests {
  private func summary(
    inputs: Int, done: Int, skipped: Int = 0, failed: Int = 0, signal: Int32? = nil
  ) -> RunSummary {
    var summary = RunSummary(inputs: inputs)
    for _ in 0..<done { summary.countDone() }
    for _ in 0..<skipped { summary.countSkipped() }
    for index in 0..<failed { summary.countFailure("\(index).jpg", "not an image") }
    summary.finish(StageReport(), signal: signal)
    return summary
  }

  @Test func theStatusSaysHowItWent() {
    #expect(summary(inputs: 3, done: 3).status.code == 0)
    #expect(summary(inputs: 3, done: 0, skipped: 3).status.code == 0)
    #expect(summary(inputs: 3, done: 1, failed: 2).status.code == 1)
    #expect(summary(inputs: 3, done: 0, skipped: 1, failed: 2).status.code == 1)
    #expect(summary(inputs: 2, done: 0, failed: 2).status.code == 3)
    #expect(summary(inputs: 3, done: 1, signal: SIGINT).status.code == 130)
    #expect(summary(inputs: 3, done: 1, signal: SIGTERM).status.code == 143)
    #expect(ExitStatus.usage.code == 2)
  }

  @Test func anInputThatIsNotCountedIsAMistakeInTheProgram() async {
    await #expect(processExitsWith: .failure) {
      var summary = RunSummary(inputs: 2)
      summary.countDone()
      summary.finish(StageReport())
    }
  }

  @Test func missingInputsAreInputsThatFailed() throws {
    let folder = try TemporaryFolder()
    try folder.add("a.jpg")
    let list = try InputWalker.expand([folder("a.jpg"), folder("b.jpg")], extensions: ["jpg"])
    var summary = RunSummary(inputs: list.files.count, failures: list.failures)
    summary.countDone()
    summary.finish(StageReport())
    #expect(summary.inputs == 2)
    #expect(summary.status == .someFailed)
  }

  @Test func theTextListsEachFailure() {
    let text = summary(inputs: 6, done: 2, skipped: 1, failed: 2, signal: SIGINT)
      .text(verb: "encoded", listedFailures: 1)
    #expect(
      text == """
        2 encoded, 1 up to date, 2 failed, 1 not reached of 6 in 0 ms
        failed:
          0.jpg: not an image
          … and 1 more (--json lists all)
        run the same command again to continue
        """)
  }

  @Test func theJSONIsOneLineThatReadsBack() throws {
    let summary = summary(inputs: 2, done: 1, failed: 1)
    let line = try JSONLines.line(summary)
    #expect(!line.contains("\n"))
    #expect(line.contains(#""failures":[{"path":"0.jpg","reason":"not an image"}]"#))
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    #expect(try decoder.decode(RunSummary.self, from: Data(line.utf8)) == summary)
  }
}

@Suite struct ByteCountTests {
  @Test(arguments: [
    ("2GiB", 2 << 30), ("400MiB", 400 << 20), ("1.5G", 3 << 29), ("64k", 64 << 10), ("10", 10),
    ("1 MB", 1_000_000), ("0", 0), ("3tib", 3 << 40), ("12 B", 12),
  ])
  func amountsAreReadAsPeopleWriteThem(text: String, bytes: Int) {
    #expect(ByteCount(text)?.bytes == bytes)
  }

  @Test(arguments: ["", "G", "-1G", "1X", "1.2.3M", "nan", "inf", "9999999T", "1e3", "0x10", "٣M"])
  func whatIsNoAmountIsRefused(text: String) {
    #expect(ByteCount(text) == nil)
  }

  @Test(arguments: [
    (0, "0 B"), (999, "999 B"), (1023, "1 KiB"), (1500, "1.46 KiB"), (400 << 20, "400 MiB"),
    (3 << 29, "1.5 GiB"), (1_048_000, "1 MiB"), (5 << 40, "5 TiB"), (102_400, "100 KiB"),
  ])
  func amountsAreShownWithThreeDigits(bytes: Int, text: String) {
    #expect(ByteCount(bytes: bytes).description == text)
  }
}

@Suite struct DurationTests {
  @Test(arguments: [
    (0.0, "0:00"), (46, "0:46"), (725, "12:05"), (11220, "3:07:00"), (183_600, "2d 3h"),
    (-1, "0:00"), (1e15, "forever"),
  ])
  func waitingTimesAreShownAsAClockDoes(seconds: Double, text: String) {
    #expect(Duration.seconds(seconds).clockText == text)
  }

  @Test(arguments: [(0.085, "85 ms"), (0.9999, "1.0 s"), (4.24, "4.2 s"), (59.97, "1:00")])
  func spansAreShownWithAFittingUnit(seconds: Double, text: String) {
    #expect(Duration.seconds(seconds).summaryText == text)
  }
}
