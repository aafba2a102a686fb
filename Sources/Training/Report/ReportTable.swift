/// A table of figures, for a terminal and for a page.
struct ReportTable {
  /// What stands above.
  let title: String
  /// What has to be known to read it.
  var note = ""
  /// The names of the columns.
  let columns: [String]
  /// The columns that hold text, which stands at the left; numbers stand at the right.
  let textColumns: Set<Int>
  /// The cells, row by row.
  var rows: [[String]] = []
  /// A row below a line.
  var lastRow: [String]?
  /// The names of columns of pictures, which only a page shows.
  var pictureColumns: [String] = []
  /// PNG files for them, row by row; none in rows that have no pictures.
  var pictures: [[[UInt8]]] = []

  /// For a terminal: columns as wide as their longest cell.
  var text: String {
    let all = [columns] + rows + (lastRow.map { [$0] } ?? [])
    let widths = columns.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
    let lines = all.map { row in
      var line = ""
      for (column, cell) in row.enumerated() {
        let space = String(repeating: " ", count: widths[column] - cell.count)
        let isLast = column == row.count - 1
        line += column == 0 ? "" : "  "
        line += textColumns.contains(column) ? cell + (isLast ? "" : space) : space + cell
      }
      return line
    }
    return ([title] + lines + (note.isEmpty ? [] : [note])).joined(separator: "\n")
  }

  /// For a page.
  var html: String {
    func cells(_ row: [String], _ tag: String) -> String {
      row.enumerated().map { column, cell in
        let place = textColumns.contains(column) ? " class=\"text\"" : ""
        return "<\(tag)\(place)>\(cell.escapedForHTML)</\(tag)>"
      }.joined()
    }
    var html = "<h2>\(title.escapedForHTML)</h2>\n"
    if !note.isEmpty { html += "<p class=\"note\">\(note.escapedForHTML)</p>\n" }
    html += "<div class=\"wide\"><table class=\"figures\">\n<thead><tr>\(cells(columns, "th"))"
    html +=
      pictureColumns.map { "<th>\($0.escapedForHTML)</th>" }.joined() + "</tr></thead>\n<tbody>\n"
    for (index, row) in rows.enumerated() {
      let shown = index < pictures.count ? pictures[index] : []
      let images = zip(pictureColumns, shown).map { name, file in
        "<td><img alt=\"\(name.escapedForHTML)\" loading=\"lazy\" "
          + "src=\"\(HTMLPage.source(ofPNG: file))\"></td>"
      }
      html += "<tr>\(cells(row, "td"))\(images.joined())</tr>\n"
    }
    if let lastRow { html += "<tr class=\"mean\">\(cells(lastRow, "td"))</tr>\n" }
    return html + "</tbody></table></div>\n"
  }
}
