import Images
import LatentFiles
import Pipelines
import TestSupport
import Testing
import Training

@Suite struct EvaluationReportTests {
  private func totals(_ models: [PretrainedAutoencoder], side: Int?) throws -> EvaluationTotals {
    let evaluator = PictureEvaluator(
      codecs: models.map { LatentCodec($0) }, storages: [.int8, .int4])
    var totals = EvaluationTotals(for: evaluator)
    for number in 0..<3 {
      let image = samplePicture(32, 24, seed: UInt64(number))
      var evaluation = try evaluator.evaluate(image, thumbnailSide: number < 2 ? side : nil)
      try evaluator.addCodecs(to: &evaluation, of: image)
      totals.add(evaluation, input: "a<b>&\(number).png")
    }
    return totals
  }

  @Test func thePageNeedsNothingElseAndIsEscaped() throws {
    let report = EvaluationReport(
      try totals([try tinyAutoencoderKL(), try tinyAutoencoderTiny()], side: 16),
      failures: [.init(path: "bad.png", reason: "it is <cut> off")])
    let html = report.html
    #expect(!html.contains("<script") && !html.contains("<link"))
    #expect(html.matches(of: /(src|href)="(?!data:image\/png;base64,iVBOR)/).isEmpty)
    // Two of three pictures, with what two models make of each.
    #expect(html.matches(of: /<img\ /).count == 2 * 2 * 3)
    #expect(html.contains("2 of 3 are shown") && html.contains("a&lt;b&gt;&amp;0.png"))
    #expect(html.contains("bad.png: it is &lt;cut&gt; off") && !html.contains("<cut>"))
    #expect(html.contains("tiny-kl: ELBO") && !html.contains("tiny-taesd: ELBO"))
    for tag in ["table", "tr", "td", "div", "svg", "h2"] {
      let opened = html.matches(of: try Regex("<\(tag)[ >]")).count
      let closed = html.matches(of: try Regex("</\(tag)>")).count
      #expect(opened > 0 && closed == opened, "\(tag)")
    }
  }

  @Test func tablesStandInColumns() throws {
    let text = EvaluationReport(try totals([try tinyAutoencoderKL()], side: nil)).text
    let lines = text.split(separator: "\n")
    let start = try #require(lines.firstIndex { $0.hasPrefix("tiny-kl, int8: each picture") })
    let table = lines[(start + 1)...(start + 5)]
    #expect(table.first?.contains("bpp  entropy") == true)
    let places = table.dropFirst().prefix(3).map { line in
      line.firstIndex(of: "×").map { line.distance(from: line.startIndex, to: $0) }
    }
    #expect(places.count == 3 && places[0] != nil && Set(places).count == 1)
    #expect(table.last?.hasSuffix("mean of 3") == true)
    for title in [
      "tiny-kl: storages", "tiny-kl beside other codecs", "tiny-kl: ELBO", "BD-rate of",
    ] {
      #expect(lines.contains { $0.hasPrefix(title) }, "\(title)")
    }
    #expect(text.contains("MS-SSIM is over 0 of the 3 pictures"))
  }

  @Test func thumbnailsTakeAFewMegabytesAtMost() {
    for modelCount in [1, 2, 7] {
      for pictureCount in [0, 1, 2, 24, 100, 333, 1000, 100_000] {
        let plan = ThumbnailPlan(pictureCount: pictureCount, modelCount: modelCount)
        let shown = (0..<pictureCount).count { plan.shows($0) }
        // Four bytes of base64 for a pixel's three.
        let bytes = shown * (1 + 2 * modelCount) * plan.side * plan.side * 4
        // One is always shown, and rounding adds one at most.
        let one = (1 + 2 * modelCount) * plan.side * plan.side * 4
        #expect(bytes <= 6_000_000 + one, "\(modelCount) \(pictureCount)")
        #expect(pictureCount == 0 || shown > 0)
        #expect((64...256).contains(plan.side))
      }
    }
  }

  @Test func chartsMayHaveMarksAndALogarithmicRate() {
    var chart = LineChart(
      title: "x", series: [.init(name: "x", points: [(0.1, 0), (1, 10), (10, 5)])])
    #expect(!chart.svg.contains("class=\"mark"))
    (chart.isXLogarithmic, chart.showsPoints) = (true, true)
    #expect(chart.svg.contains("class=\"line s0\" d=\"M64 258L344 34L624 146\""))
    #expect(chart.svg.contains("class=\"mark s0\" d=\"M64 258h0M344 34h0M624 146h0\""))
  }
}
