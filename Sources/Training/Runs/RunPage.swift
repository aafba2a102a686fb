/// The page about a run: the log's numbers as rows and charts.
struct RunPage {
  let title: String
  /// The run's settings as text.
  let settings: String
  let step, stepCount: Int
  let facts: [(name: String, value: String)]
  let charts: [LineChart]
  let samples: TrainingReport.Picture?
  let isOver: Bool

  /// The page.
  var report: TrainingReport {
    var page = TrainingReport(title: title)
    page.facts = [("step", "\(step) of \(stepCount)")] + facts
    page.charts = charts.filter { !$0.series.isEmpty }
    page.pictures = samples.map { [$0] } ?? []
    page.settings = settings
    page.refreshSeconds = isOver ? nil : 10
    return page
  }
}

extension [TrainingLog.Entry] {
  /// The last number of a name, as a row for people.
  func fact(_ name: String, _ key: String, unit: String = "") -> [(name: String, value: String)] {
    guard let value = last(where: { $0[key] != nil })?[key] else { return [] }
    return [(name, value.significantText + unit)]
  }

  /// Names that appear in the log, in the order in which they came.
  func names(where isWanted: (String) -> Bool) -> [String] {
    var names: [String] = []
    for entry in prefix(2) + suffix(2) {
      for (name, _) in entry.values where isWanted(name) && !names.contains(name) {
        names.append(name)
      }
    }
    return names
  }

  /// Numbers over steps; without those that the log doesn't have.
  func chart(_ title: String, _ names: [String], isLogarithmic: Bool = false) -> LineChart {
    let series = names.map { LineChart.Series($0, in: self) }.filter { !$0.points.isEmpty }
    return LineChart(title: title, series: series, isLogarithmic: isLogarithmic)
  }
}
