import Images
import LatentFiles
package import Pipelines

/// An evaluation for people: as text, and as a page of HTML that needs nothing else.
package struct EvaluationReport: Sendable {
  private let totals: EvaluationTotals
  private let failures: [RunSummary.Failure]

  /// A report.
  ///
  /// - Parameters:
  ///   - totals: What was found.
  ///   - failures: The pictures that failed.
  package init(_ totals: EvaluationTotals, failures: [RunSummary.Failure] = []) {
    self.totals = totals
    self.failures = failures
  }

  private func tables(_ index: Int) -> [ReportTable] {
    let tables = EvaluationTables(totals: totals)
    return [tables.pictures(index)]
      + (totals.models[index].stored.count > 1 ? [tables.storages(index)] : [])
      + [tables.codecs(index), tables.evidence(index)].compactMap { $0 } + [tables.channels(index)]
  }

  private func head(_ model: EvaluationTotals.Model) -> String {
    "\(model.model.className), \(model.model.parameterCount) parameters, weights "
      + "\(model.model.sha256.prefix(12))…"
  }

  /// For a terminal.
  package var text: String {
    var parts: [String] = []
    for (index, model) in totals.models.enumerated() {
      parts.append("\(model.name): \(head(model))")
      parts += tables(index).map(\.text)
    }
    let differences = EvaluationTables(totals: totals).rateDifferences
    if !differences.isEmpty { parts.append(differences.joined(separator: "\n")) }
    return parts.joined(separator: "\n\n")
  }

  /// The page.
  package var html: String {
    var body = "<table>\n" + row("pictures", "\(totals.rows.count)")
    for model in totals.models { body += row(model.name, head(model)) }
    let storages = totals.models[0].stored.map(\.storage.rawValue).joined(separator: ", ")
    body += row("stored as", storages) + row("program", Program.nameAndVersion) + "</table>\n"
    if !failures.isEmpty {
      body += "<h2>failed</h2>\n<ul>\n"
      for failure in failures { body += "<li>\(failure.description.escapedForHTML)</li>\n" }
      body += "</ul>\n"
    }
    body += curves
    for index in totals.models.indices {
      for var table in tables(index) {
        if !table.pictures.allSatisfy(\.isEmpty) { table.note += pictureNote(table) }
        body += table.html
      }
    }
    return HTMLPage(title: "lvae eval", body: body).text
  }

  /// Refuses a place where no page can be written, before hours of work.
  ///
  /// - Throws: an error that names the file.
  package static func checkPath(_ path: String) throws {
    // The temporary file goes with the value.
    _ = try OutputFolders().open(path)
  }

  /// Writes the page, so that nobody sees half of it.
  ///
  /// - Throws: an error that names the file if it can't be written.
  package func write(to path: String) throws {
    let folders = OutputFolders()
    try folders.write(Array(html.utf8), to: path)
    try folders.finish()
  }

  private func row(_ name: String, _ value: String) -> String {
    "<tr><th>\(name.escapedForHTML)</th><td>\(value.escapedForHTML)</td></tr>\n"
  }

  private func pictureNote(_ table: ReportTable) -> String {
    let shown = table.pictures.count { !$0.isEmpty }
    return (table.note.isEmpty ? "" : " ")
      + "Pictures are made small. Error: the root mean square over red, green and blue, black for 0, "
      + "through red and yellow to white for 32 levels of 255 and more."
      + (shown < table.rows.count
        ? " \(shown) of \(table.rows.count) are shown, evenly chosen, to keep the page small." : "")
  }

  // MARK: Curves

  /// Charts of quality over rate, and the BD-rates.
  private var curves: String {
    let charts = [
      chart("PSNR in decibels", \.psnr), chart("SSIM", \.ssim), chart("MS-SSIM", \.msSsim),
    ].compactMap { $0 }
    var html = "<h2>rate and distortion</h2>\n<p class=\"note\">Means over pictures; bits a pixel "
    html += "of whole files, on a logarithmic axis. Points are storages, and qualities.</p>\n"
    html += "<div class=\"charts\">\n"
    for chart in charts { html += "<figure>\(chart.svg)</figure>\n" }
    html += "</div>\n"
    for line in EvaluationTables(totals: totals).rateDifferences {
      html += "<p class=\"note\">\(line.escapedForHTML)</p>\n"
    }
    return html
  }

  private func chart(
    _ title: String, _ figure: KeyPath<QualityMeans, Mean>
  ) -> LineChart? {
    let curves =
      totals.models.map { totals.curve(of: $0, figure) }
      + ReferenceCodec.allCases.map { totals.curve(of: $0, figure) }
    let series = curves.filter { !$0.points.isEmpty }.map { curve in
      LineChart.Series(
        name: curve.name,
        points: curve.points.sorted { $0.bitsPerPixel < $1.bitsPerPixel }
          .map { ($0.bitsPerPixel, $0.quality) })
    }
    guard !series.isEmpty else { return nil }
    var chart = LineChart(title: title, series: series)
    chart.xLabel = "bits a pixel"
    (chart.isXLogarithmic, chart.showsPoints) = (true, true)
    return chart
  }
}

/// How small the pictures of a report are, and which of them it has: together at most a few
/// megabytes, however many there are.
package struct ThumbnailPlan: Sendable {
  /// The longest side.
  package let side: Int
  /// Of so many pictures one is shown.
  package let step: Int

  /// A plan.
  ///
  /// - Parameters:
  ///   - pictureCount: How many pictures are evaluated.
  ///   - modelCount: How many autoencoders: each has two thumbnails of a picture.
  ///   - byteCount: The most that all thumbnails take in the page.
  package init(pictureCount: Int, modelCount: Int, byteCount: Int = 6_000_000) {
    // Three bytes a pixel if PNG saves nothing, and base64 makes four of three.
    let images = Double((1 + 2 * modelCount) * max(1, pictureCount))
    let fitting = Int((Double(byteCount) / (4 * images)).squareRoot())
    side = min(Self.greatestSide, max(Self.leastSide, fitting))
    step = max(
      1, Int((4 * images * Double(side * side) / Double(byteCount)).rounded(.up)))
  }

  /// Whether the picture with this number is shown.
  package func shows(_ index: Int) -> Bool { index.isMultiple(of: step) }

  private static let (leastSide, greatestSide) = (64, 256)
}
