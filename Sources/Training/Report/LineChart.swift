import Pipelines

/// A chart of numbers over steps, as SVG that follows the page's light or dark colours.
public struct LineChart: Sendable {
  /// A line of a chart.
  public struct Series: Sendable {
    /// What the legend calls it.
    public var name: String
    /// Its points, from left to right.
    public var points: [(x: Double, y: Double)]

    /// A line.
    public init(name: String, points: [(x: Double, y: Double)]) {
      self.name = name
      self.points = points
    }

    /// The numbers of a log by their name.
    public init(_ name: String, in entries: [TrainingLog.Entry]) {
      self.init(
        name: name,
        points: TrainingLog.series(name, in: entries).map { (Double($0.step), $0.value) })
    }
  }

  /// What stands above.
  public var title: String
  /// What the horizontal axis shows.
  public var xLabel = "step"
  /// The lines, in the order of the legend.
  public var series: [Series]
  /// Whether the vertical axis is logarithmic; numbers that aren't above 0 are left out then.
  public var isLogarithmic: Bool
  /// Whether the horizontal axis is.
  public var isXLogarithmic = false
  /// Whether points have marks.
  public var showsPoints = false

  /// A chart.
  public init(title: String, series: [Series], isLogarithmic: Bool = false) {
    self.title = title
    self.series = series
    self.isLogarithmic = isLogarithmic
  }

  private static let (width, height) = (640.0, 300.0)
  private static let (left, right, top, bottom) = (64.0, 16.0, 34.0, 42.0)
  /// Beyond so many points neighbours are drawn as one.
  private static let pointLimit = 600

  /// The chart as an SVG element, whose colours ``styleSheet`` sets.
  public var svg: String {
    let thinned = series.map { Series(name: $0.name, points: Self.thinned($0.points)) }
    let points = thinned.flatMap(\.points).filter { $0.x.isFinite && $0.y.isFinite }
    let x = ChartAxis(showing: points.map(\.x), isLogarithmic: isXLogarithmic)
    let y = ChartAxis(showing: points.map(\.y), isLogarithmic: isLogarithmic)
    var svg = """
      <svg class="chart" viewBox="0 0 \(Self.width.plain) \(Self.height.plain)" role="img" \
      xmlns="http://www.w3.org/2000/svg"><title>\(title.escapedForHTML)</title>
      <text class="title" x="\(Self.left.plain)" y="16">\(title.escapedForHTML)</text>

      """
    svg += grid(x, y)
    for (index, line) in thinned.enumerated() {
      for path in paths(line.points, x, y) {
        svg += "<path class=\"line s\(index % Self.colorCount)\" d=\"\(path)\"/>\n"
      }
      if showsPoints { svg += marks(line.points, color: index % Self.colorCount, x, y) }
    }
    svg += legend()
    if points.isEmpty {
      svg +=
        "<text class=\"label\" x=\"\((Self.width / 2).plain)\" "
        + "y=\"\((Self.height / 2).plain)\" text-anchor=\"middle\">nothing yet</text>\n"
    }
    return svg + "</svg>"
  }

  private func place(_ axis: ChartAxis, x value: Double) -> Double? {
    axis.position(of: value).map { Self.left + $0 * (Self.width - Self.left - Self.right) }
  }

  private func place(_ axis: ChartAxis, y value: Double) -> Double? {
    axis.position(of: value).map {
      Self.height - Self.bottom - $0 * (Self.height - Self.top - Self.bottom)
    }
  }

  private func grid(_ x: ChartAxis, _ y: ChartAxis) -> String {
    let (end, floor) = (Self.width - Self.right, Self.height - Self.bottom)
    var svg = ""
    for tick in y.ticks(count: 5) {
      guard let at = place(y, y: tick) else { continue }
      svg += "<path class=\"grid\" d=\"M\(Self.left.plain) \(at.plain)H\(end.plain)\"/>"
      svg += "<text class=\"label\" x=\"\((Self.left - 6).plain)\" y=\"\((at + 4).plain)\" "
      svg += "text-anchor=\"end\">\(tick.tickText)</text>\n"
    }
    for tick in x.ticks(count: 8) {
      guard let at = place(x, x: tick) else { continue }
      svg += "<path class=\"grid\" d=\"M\(at.plain) \(floor.plain)v4\"/>"
      svg += "<text class=\"label\" x=\"\(at.plain)\" y=\"\((floor + 17).plain)\" "
      svg += "text-anchor=\"middle\">\(tick.tickText)</text>\n"
    }
    svg += "<path class=\"axis\" d=\"M\(Self.left.plain) \(Self.top.plain)V\(floor.plain)"
    svg += "H\(end.plain)\"/>\n"
    svg += "<text class=\"label\" x=\"\(end.plain)\" y=\"\((floor + 34).plain)\" "
    return svg + "text-anchor=\"end\">\(xLabel.escapedForHTML)</text>\n"
  }

  private func legend() -> String {
    guard series.count > 1 else { return "" }
    var (svg, at) = ("", Self.left)
    for (index, line) in series.enumerated() {
      let color = index % Self.colorCount
      svg += "<path class=\"line s\(color)\" d=\"M\(at.plain) \((Self.height - 12).plain)h16\"/>"
      svg += "<text class=\"label\" x=\"\((at + 21).plain)\" y=\"\((Self.height - 8).plain)\">"
      svg += "\(line.name.escapedForHTML)</text>\n"
      at += 38 + 6.4 * Double(line.name.count)
    }
    return svg
  }

  /// The line as paths; it is broken where a number can't be shown.
  private func paths(
    _ points: [(x: Double, y: Double)], _ x: ChartAxis, _ y: ChartAxis
  ) -> [String] {
    var paths: [String] = []
    var path = ""
    for point in points {
      guard let px = place(x, x: point.x), let py = place(y, y: point.y) else {
        if !path.isEmpty { paths.append(path) }
        path = ""
        continue
      }
      path += "\(path.isEmpty ? "M" : "L")\(px.plain) \(py.plain)"
      // A point alone is drawn by its round ends.
      if points.count == 1 { path += "h0" }
    }
    return path.isEmpty ? paths : paths + [path]
  }

  /// A dot at each point.
  private func marks(
    _ points: [(x: Double, y: Double)], color: Int, _ x: ChartAxis, _ y: ChartAxis
  ) -> String {
    let dots = points.compactMap { point -> String? in
      guard let px = place(x, x: point.x), let py = place(y, y: point.y) else { return nil }
      return "M\(px.plain) \(py.plain)h0"
    }
    return dots.isEmpty ? "" : "<path class=\"mark s\(color)\" d=\"\(dots.joined())\"/>\n"
  }

  /// So many points as the chart can show: neighbours become their mean.
  ///
  /// That also takes out noise. NaN in a stretch is left out, unless nothing else is in it.
  private static func thinned(_ points: [(x: Double, y: Double)]) -> [(x: Double, y: Double)] {
    guard points.count > pointLimit else { return points }
    let stride = (points.count + pointLimit - 1) / pointLimit
    return Swift.stride(from: 0, to: points.count, by: stride).map { start in
      let part = points[start..<min(start + stride, points.count)]
      let shown = part.filter(\.y.isFinite)
      guard !shown.isEmpty else { return part[start] }
      let count = Double(shown.count)
      return (
        shown.reduce(0) { $0 + $1.x } / count, shown.reduce(0) { $0 + $1.y } / count
      )
    }
  }

  /// How many colours there are for lines.
  private static let colorCount = 8

  /// The colours of charts, light and dark (Okabe and Ito's, which the colour-blind can tell
  /// apart), as CSS.
  public static let styleSheet = """
    .chart { font: 12px system-ui, sans-serif; width: 100%; height: auto; }
    .chart text { fill: currentColor; }
    .chart .title { font-weight: 600; font-size: 13px; }
    .chart .label { opacity: .75; }
    .chart path { fill: none; stroke: currentColor; }
    .chart .grid { opacity: .18; }
    .chart .axis { opacity: .5; }
    .chart .line { stroke-width: 1.6; stroke-linejoin: round; stroke-linecap: round; }
    .chart .mark { stroke-width: 6; stroke-linecap: round; }
    .chart .s0 { stroke: #0072b2; } .chart .s1 { stroke: #d55e00; }
    .chart .s2 { stroke: #009e73; } .chart .s3 { stroke: #cc79a7; }
    .chart .s4 { stroke: #b58900; } .chart .s5 { stroke: #56b4e9; }
    .chart .s6 { stroke: #7a5195; } .chart .s7 { stroke: #888888; }
    @media (prefers-color-scheme: dark) {
      .chart .s0 { stroke: #56b4e9; } .chart .s1 { stroke: #ff9b50; }
      .chart .s2 { stroke: #35d0a5; } .chart .s4 { stroke: #f0e442; }
      .chart .s5 { stroke: #0c8ee0; } .chart .s6 { stroke: #b794f6; }
    }
    """
}

extension Double {
  /// A coordinate: one digit after the point at most.
  var plain: String {
    let rounded = text(digits: 1)
    return rounded.hasSuffix(".0") ? String(rounded.dropLast(2)) : rounded
  }

  /// What stands beside a tick: `0.25`, `1500`, `20k`, `1e-5`.
  var tickText: String {
    if self == 0 { return "0" }
    let size = magnitude
    if size >= 1e4 && size < 1e6, (self / 1000).isNearlyWhole {
      return "\((self / 1000).text(digits: 0))k"
    }
    if size >= 1e6 || size < 1e-3 {
      return significantText.replacing(".00e", with: "e").replacing("0e", with: "e")
    }
    var digits = text(digits: size >= 100 ? 0 : 4)
    if digits.contains(".") {
      while digits.hasSuffix("0") { digits.removeLast() }
      if digits.hasSuffix(".") { digits.removeLast() }
    }
    return digits
  }

  private var isNearlyWhole: Bool { abs(self - rounded()) < 1e-6 }
}

extension String {
  /// The text as HTML and XML show it.
  var escapedForHTML: String {
    var text = ""
    for character in self {
      switch character {
      case "&": text += "&amp;"
      case "<": text += "&lt;"
      case ">": text += "&gt;"
      case "\"": text += "&quot;"
      default: text.append(character)
      }
    }
    return text
  }
}
