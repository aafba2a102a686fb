import Foundation
import Images
import TestSupport
import Testing
import Training

@Suite struct TrainingReportTests {
  /// What a browser accepts as XML: every element is closed, every text escaped.
  private func isWellFormed(_ xml: String) -> Bool {
    let tags = xml.matches(of: /<(\/?)([a-z]+)[^<>]*?(\/?)>/)
    var open: [Substring] = []
    for tag in tags {
      if !tag.output.3.isEmpty { continue }
      if tag.output.1.isEmpty {
        open.append(tag.output.2)
      } else if open.popLast() != tag.output.2 {
        return false
      }
    }
    return open.isEmpty
  }

  private func chart(_ points: [(Double, Double)], isLogarithmic: Bool = false) -> LineChart {
    LineChart(
      title: "loss < 1 & \"more\"",
      series: [
        .init(name: "train", points: points.map { ($0.0, $0.1) }),
        .init(name: "a <b>", points: points.map { ($0.0, $0.1 * 2) }),
      ], isLogarithmic: isLogarithmic)
  }

  @Test func chartsAreWellFormedWhateverTheNumbers() {
    let cases: [[(Double, Double)]] = [
      [], [(0, 0)], [(5, 3)], [(0, 1), (1, 1)], [(0, .nan), (1, 2), (2, .infinity), (3, -1)],
      (0..<5000).map { (Double($0), exponential(-Double($0) / 500)) },
      [(0, 1e-300), (1, 1e300)], [(0, -1e-9), (1, 1e-9)],
    ]
    for points in cases {
      for isLogarithmic in [false, true] {
        let svg = chart(points, isLogarithmic: isLogarithmic).svg
        #expect(isWellFormed(svg))
        #expect(!svg.contains("nan") && !svg.contains("inf"))
        #expect(svg.contains("loss &lt; 1 &amp; &quot;more&quot;") && svg.contains("a &lt;b&gt;"))
        #expect(svg.utf8.count < 40_000)
      }
    }
    #expect(chart([]).svg.contains("nothing yet"))
  }

  @Test func linesRunWhereTheNumbersAre() throws {
    let svg = LineChart(
      title: "x", series: [.init(name: "x", points: [(0, 0), (50, 10), (100, 5)])]
    ).svg
    // The plot runs from (64, 258) to (624, 34).
    #expect(svg.contains("d=\"M64 258L344 34L624 146\""))
    let logarithmic = LineChart(
      title: "x", series: [.init(name: "x", points: [(0, 1), (1, 10), (2, 100)])],
      isLogarithmic: true
    ).svg
    #expect(logarithmic.contains("d=\"M64 258L344 146L624 34\""))
    for tick in [">1<", ">10<", ">100<"] { #expect(logarithmic.contains(tick)) }
  }

  @Test func thePageNeedsNothingElse() throws {
    var report = TrainingReport(title: "run <1>")
    report.facts = [("step", "5 & more")]
    report.charts = [chart([(0, 1), (1, 2)])]
    report.pictures = [.init(caption: "step 5", image: samplePicture())]
    report.settings = TrainingSettings().text
    report.refreshSeconds = 10
    let html = try report.html()
    #expect(html.contains("<meta http-equiv=\"refresh\" content=\"10\">"))
    #expect(html.contains("<title>run &lt;1&gt;</title>") && html.contains("5 &amp; more"))
    #expect(html.contains("src=\"data:image/png;base64,iVBOR"))
    #expect(!html.contains("<script") && !html.contains("<link"))
    #expect(html.matches(of: /(src|href)="(?!data:)/).isEmpty)
    report.refreshSeconds = nil
    #expect(try !report.html().contains("refresh"))
  }

  @Test func thePageAppearsAsAWhole() throws {
    let folder = try TemporaryFolder()
    try TrainingReport(title: "x").write(to: folder("report.html"))
    #expect(try folder.text("report.html").hasSuffix("</html>\n"))
    #expect(try folder.names() == ["report.html"])
    if let path = ProcessInfo.processInfo.environment["LVAE_REPORT"] {
      try Self.sample().write(to: path)
    }
  }

  /// A page as a run makes it, to be looked at: `LVAE_REPORT=report.html`.
  private static func sample() -> TrainingReport {
    var report = TrainingReport(title: "Sample run")
    let noise = sampleScalars(4000)
    let entries = (0..<400).map { index in
      let step = index * 50
      let loss = 0.02 + 0.4 * exponential(-Double(step) / 3000)
      return TrainingLog.Entry(
        step: step,
        values: [
          ("loss", loss * (1 + 0.1 * Double(noise[index]))), ("l1", loss * 0.8),
          ("psnr", 28 - 12 * exponential(-Double(step) / 4000)),
          ("rate", 5e-4 * Double(min(step, 1000)) / 1000),
        ])
    }
    report.facts = [("step", "19950 of 20000"), ("speed", "31.2 images/s"), ("left", "0:12")]
    report.charts = [
      LineChart(
        title: "Loss", series: [.init("loss", in: entries), .init("l1", in: entries)],
        isLogarithmic: true),
      LineChart(title: "PSNR (dB)", series: [.init("psnr", in: entries)]),
      LineChart(title: "Learning rate", series: [.init("rate", in: entries)]),
      LineChart(title: "Still empty", series: []),
    ]
    report.pictures = [
      .init(
        caption: "pictures and reconstructions",
        image: ImageGrid(columnCount: 8).image(
          of: (0..<16).map { samplePicture(64, 64, seed: $0 + 1) }))
    ]
    report.settings = TrainingSettings().text
    return report
  }
}
