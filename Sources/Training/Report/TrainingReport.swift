import Foundation
public import Images
import Pipelines

/// The state of a run as one HTML page, which needs nothing else: no scripts, no other files.
public struct TrainingReport: Sendable {
  /// A picture in the page.
  public struct Picture: Sendable {
    /// What stands below.
    public var caption: String
    /// The picture.
    public var image: Image

    /// A picture.
    public init(caption: String, image: Image) {
      self.caption = caption
      self.image = image
    }
  }

  /// What the page is about.
  public var title: String
  /// What is to be known at a glance, in rows: a name and its value.
  public var facts: [(name: String, value: String)] = []
  /// The charts.
  public var charts: [LineChart] = []
  /// The pictures, the newest first.
  public var pictures: [Picture] = []
  /// The run's settings as text.
  public var settings = ""
  /// After how many seconds browsers load the page again; nil for a run that is over.
  public var refreshSeconds: Int?

  /// A page without anything yet.
  public init(title: String) {
    self.title = title
  }

  /// The page.
  ///
  /// - Throws: `ImageError` if a picture can't be written as PNG.
  public func html() throws(ImageError) -> String {
    let refresh = refreshSeconds.map { "<meta http-equiv=\"refresh\" content=\"\($0)\">\n" } ?? ""
    var body = ""
    if !facts.isEmpty {
      let rows = facts.map {
        "<tr><th>\($0.name.escapedForHTML)</th><td>\($0.value.escapedForHTML)</td></tr>"
      }
      body += "<table>\n\(rows.joined(separator: "\n"))\n</table>\n"
    }
    body += "<div class=\"charts\">\n"
    for chart in charts { body += "<figure>\(chart.svg)</figure>\n" }
    body += "</div>\n"
    for picture in pictures {
      let bytes = try picture.image.encoded(as: .png())
      body += """
        <figure><img alt="\(picture.caption.escapedForHTML)" \
        src="data:image/png;base64,\(Data(bytes).base64EncodedString())">
        <figcaption>\(picture.caption.escapedForHTML)</figcaption></figure>

        """
    }
    if !settings.isEmpty {
      body +=
        "<details><summary>Settings</summary><pre>\(settings.escapedForHTML)</pre></details>\n"
    }
    return """
      <!doctype html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      \(refresh)<title>\(title.escapedForHTML)</title>
      <style>
      \(Self.styleSheet)
      \(LineChart.styleSheet)
      </style>
      </head>
      <body>
      <h1>\(title.escapedForHTML)</h1>
      \(body)</body>
      </html>

      """
  }

  /// Writes the page as a file, so that a browser never sees half of it.
  ///
  /// - Throws: `ImageError`, and an error that names the file if it can't be written.
  public func write(to path: String) throws {
    try AtomicFile.write(Array(try html().utf8), to: path)
  }

  private static let styleSheet = """
    :root { color-scheme: light dark; }
    body { font: 15px/1.45 system-ui, sans-serif; max-width: 1360px; margin: 1.5rem auto;
      padding: 0 1rem; color: #1c1c1e; background: #fff; }
    h1 { font-size: 1.35rem; }
    table { border-collapse: collapse; margin-bottom: 1rem; }
    th, td { text-align: left; padding: .1rem 1.2rem .1rem 0; font-weight: 400; }
    th { opacity: .65; }
    .charts { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(26rem, 1fr)); }
    figure { margin: 0 0 1rem; }
    img { max-width: 100%; image-rendering: pixelated; border-radius: 4px; }
    figcaption { opacity: .75; }
    pre { overflow: auto; }
    @media (prefers-color-scheme: dark) { body { color: #e8e8ea; background: #161618; } }
    """
}
