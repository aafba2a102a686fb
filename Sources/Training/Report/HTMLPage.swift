import Foundation

/// A page of HTML that needs nothing else: no scripts, no other files; light or dark as the reader has
/// it.
struct HTMLPage {
  /// What stands above, as plain text.
  let title: String
  /// What follows, as HTML.
  let body: String
  /// After how many seconds browsers load the page again.
  var refreshSeconds: Int?

  /// The page.
  var text: String {
    let refresh = refreshSeconds.map { "<meta http-equiv=\"refresh\" content=\"\($0)\">\n" } ?? ""
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

  /// A PNG file as the source of an image.
  static func source(ofPNG bytes: [UInt8]) -> String {
    "data:image/png;base64,\(Data(bytes).base64EncodedString())"
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
    h2 { font-size: 1.1rem; margin: 1.6rem 0 .4rem; }
    .note { opacity: .75; max-width: 62rem; margin: .2rem 0 .6rem; }
    .wide { overflow-x: auto; }
    table.figures th, table.figures td { text-align: right; padding: .1rem 0 .1rem 1.2rem; }
    table.figures .text { text-align: left; overflow-wrap: anywhere; white-space: pre-wrap; }
    table.figures tr > :first-child { padding-left: 0; }
    table.figures thead th { border-bottom: 1px solid currentColor; }
    table.figures td { font-variant-numeric: tabular-nums; vertical-align: top; }
    table.figures tr.mean td { border-top: 1px solid currentColor; }
    table.figures img { display: block; margin-left: auto; }
    @media (prefers-color-scheme: dark) { body { color: #e8e8ea; background: #161618; } }
    """
}
