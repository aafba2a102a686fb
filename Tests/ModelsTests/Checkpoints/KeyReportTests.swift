import Models
import Tensors
import Testing

struct KeyReportTests {
  @Test func eachDifferenceIsNamedOnce() {
    let report = KeyReport(
      expected: ["a": [1], "b": [2, 3], "c": []], found: ["b": [3, 2], "c": [], "d": [4]])
    #expect(report.missing == ["a"])
    #expect(report.unexpected == ["d"])
    #expect(report.misshaped.map(\.name) == ["b"])
    #expect(!report.isEmpty)
    #expect(
      report.description == """
        1 missing:
          a
        1 unexpected:
          d
        1 of another shape:
          b: needed 2×3, found 3×2
        """)
  }

  @Test func equalNamesAndShapesAreNoDifference() {
    let report = KeyReport(expected: ["a": [1]], found: ["a": [1]])
    #expect(report.isEmpty)
    #expect(report.description == "all tensors match")
  }

  @Test func longListsAreCutAfterTen() {
    let expected = Dictionary(uniqueKeysWithValues: (0..<25).map { ("k\($0)", [1] as Shape) })
    let lines = KeyReport(expected: expected, found: [:]).description.split(separator: "\n")
    #expect(lines.count == 12)
    #expect(lines.first == "25 missing:")
    #expect(lines.last == "  … and 15 more")
  }
}
