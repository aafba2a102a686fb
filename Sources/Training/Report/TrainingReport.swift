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
        src="\(HTMLPage.source(ofPNG: bytes))">
        <figcaption>\(picture.caption.escapedForHTML)</figcaption></figure>

        """
    }
    if !settings.isEmpty {
      body +=
        "<details><summary>Settings</summary><pre>\(settings.escapedForHTML)</pre></details>\n"
    }
    return HTMLPage(title: title, body: body, refreshSeconds: refreshSeconds).text
  }

  /// Writes the page as a file, so that a browser never sees half of it.
  ///
  /// - Throws: `ImageError`, and an error that names the file if it can't be written.
  public func write(to path: String) throws {
    try AtomicFile.write(Array(try html().utf8), to: path)
  }
}
