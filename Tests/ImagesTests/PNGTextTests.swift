import Images
import Testing

@Suite struct PNGTextTests {
  static let notes = [
    PNGText(keyword: "Software", text: "lvae"),
    PNGText(keyword: "Seed and steps", text: "42, 50"),
    PNGText(keyword: "Prompt", text: "größer, 写真, 🐢"),
    PNGText(keyword: "Software", text: ""),
  ]

  @Test func writtenNotesAreReadBack() throws {
    let image = Image.noise(width: 3, height: 2)
    let file = try image.encoded(as: .png(text: Self.notes))
    #expect(try PNGText.notes(in: file) == Self.notes)
    #expect(try Image(decoding: file).samples == image.samples)
  }

  @Test(arguments: ["", " a", "a ", "a  b", "é", "a\n", String(repeating: "k", count: 80)])
  func badKeywordsAreRefused(keyword: String) {
    #expect(throws: ImageError.self) {
      try Image.noise(width: 1, height: 1)
        .encoded(as: .png(text: [PNGText(keyword: keyword, text: "")]))
    }
  }

  @Test func aTextWithAZeroIsRefused() {
    #expect(throws: ImageError.self) {
      try Image.noise(width: 1, height: 1)
        .encoded(as: .png(text: [PNGText(keyword: "Comment", text: "a\0b")]))
    }
  }

  @Test func everyPrefixIsTruncated() throws {
    let file = try Image.noise(width: 3, height: 2).encoded(as: .png(text: Self.notes))
    for count in 0..<file.count - 4 {
      #expect(throws: ImageError.self) { try PNGText.notes(in: Array(file[..<count])) }
    }
  }

  @Test func aDamagedNoteIsNoticed() throws {
    var file = try Image.noise(width: 3, height: 2)
      .encoded(as: .png(text: [PNGText(keyword: "Comment", text: "abc")]))
    let index = try #require(file.indices.first { file[$0...].starts(with: "abc".utf8) })
    file[index] = 0x78
    #expect(throws: ImageError.self) { try PNGText.notes(in: file) }
  }
}
