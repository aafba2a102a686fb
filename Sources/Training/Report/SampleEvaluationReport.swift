package import Images
package import Pipelines

/// The measures of samples for people: as text, and as a page of HTML that needs nothing else.
package struct SampleEvaluationReport: Sendable {
  private let evaluation: SampleEvaluation
  private let failures: [RunSummary.Failure]

  /// A report.
  ///
  /// - Parameters:
  ///   - evaluation: What was found.
  ///   - failures: The pictures that failed.
  package init(_ evaluation: SampleEvaluation, failures: [RunSummary.Failure] = []) {
    self.evaluation = evaluation
    self.failures = failures
  }

  private var tables: [ReportTable] { SampleEvaluationTables(evaluation: evaluation).all }

  private var facts: [(name: String, value: String)] {
    let record = evaluation.classifier.record
    func text(_ set: SquarePictures) -> String { "\(set.count) pictures of \(set.path)" }
    return [
      ("samples", text(evaluation.samples)), ("real", text(evaluation.real)),
      ("training", evaluation.training.map(text) ?? "not given"),
      (
        "classifier",
        "tells \((100 * record.heldOutAccuracy).text(digits: 1)) % of \(record.heldOutCount) "
          + "held-out pictures; weights \(evaluation.classifier.sha256.prefix(12))…"
      ),
    ]
  }

  /// For a terminal.
  package var text: String {
    let width = facts.map(\.name.count).max() ?? 0
    let head = facts.map { name, value in
      name + String(repeating: " ", count: width - name.count) + "  " + value
    }.joined(separator: "\n")
    return ([head] + tables.map(\.text)).joined(separator: "\n\n")
  }

  /// The page.
  ///
  /// - Throws: `ImageError` if a picture can't be written as PNG.
  package func html() throws(ImageError) -> String {
    var body = "<table>\n"
    for fact in facts + [("program", Program.nameAndVersion)] {
      body += "<tr><th>\(fact.0.escapedForHTML)</th><td>\(fact.1.escapedForHTML)</td></tr>\n"
    }
    body += "</table>\n"
    if !failures.isEmpty {
      body += "<h2>failed</h2>\n<ul>\n"
      for failure in failures { body += "<li>\(failure.description.escapedForHTML)</li>\n" }
      body += "</ul>\n"
    }
    for table in tables { body += table.html }
    if let sheet {
      let file = HTMLPage.source(ofPNG: try sheet.encoded(as: .png()))
      body += """
        <h2>nearest pairs</h2>
        <figure><img alt="samples above their nearest training pictures" src="\(file)">
        <figcaption>Samples, each above the training picture that is nearest by pixels; the nearest \
        pair first.</figcaption></figure>

        """
    }
    return HTMLPage(title: "lvae diffuse-eval", body: body).text
  }

  private static let (pairsInRow, pairRows) = (16, 3)

  /// The nearest pairs by pixels, samples above training pictures; nil without these.
  private var sheet: Image? {
    guard let copies = evaluation.copies, let training = evaluation.training else { return nil }
    let shown = copies.pixels.nearestFirst.prefix(Self.pairsInRow * Self.pairRows)
    let columns = min(Self.pairsInRow, shown.count)
    // The last row is shorter: white fills it up.
    let gap = Image(
      width: 1, height: 1, channels: .rgb, samples: .eightBit([255, 255, 255]))
    var pictures: [Image] = []
    for start in stride(from: 0, to: shown.count, by: columns) {
      let row = shown[start..<min(shown.count, start + columns)]
      let gaps = [Image](repeating: gap, count: columns - row.count)
      pictures += row.map { evaluation.samples.squares[$0] } + gaps
      pictures += row.map { training.squares[copies.pixels.neighbours[$0].place] } + gaps
    }
    return pictures.isEmpty ? nil : ImageGrid(columnCount: columns).image(of: pictures)
  }

  /// Writes the page, so that nobody sees half of it.
  ///
  /// - Throws: an error that names the file if it can't be written.
  package func write(to path: String) throws {
    let folders = OutputFolders()
    try folders.write(Array(try html().utf8), to: path)
    try folders.finish()
  }
}
