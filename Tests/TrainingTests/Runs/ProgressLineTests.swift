import Testing
import Training

@Suite struct ProgressLineTests {
  private var line: ProgressLine {
    var line = ProgressLine(step: 1200, stepCount: 20_000)
    line.terms = [("loss", 0.04213), ("l1", 0.0399999), ("kl", 1.234e-5)]
    line.klPerChannel = [0.8, 2.1, 0.001, 1234.5]
    line.imagesPerSecond = 31.24
    line.remaining = .seconds(7800)
    return line
  }

  @Test func theLineSaysWhatMatters() {
    #expect(
      line.text() == "step 1200/20000 (6%)  loss 0.0421  l1 0.0400  kl 1.23e-5  "
        + "KL 0.00100–1234 nats, 3/4 active  31.2 images/s  2:10:00 left")
    #expect(ProgressLine(step: 0, stepCount: 9).text() == "step 0/9 (0%)")
  }

  @Test func aNarrowTerminalShowsLess() {
    #expect(line.text(columns: 50) == "step 1200/20000 (6%)  loss 0.0421  2:10:00 left")
    for columns in 0..<130 { #expect(line.text(columns: columns).count <= columns) }
  }

  @Test func numbersThatAreNoneAreShown() {
    var line = ProgressLine(step: 1, stepCount: 2)
    line.terms = [("loss", .nan), ("a", .infinity), ("b", 0), ("c", -1e7)]
    #expect(line.text() == "step 1/2 (50%)  loss NaN  a ∞  b 0  c -1.00e7")
  }
}
