import Images
import Testing

@Suite struct ImageErrorTests {
  @Test func messagesHoldTheFactsAndSayWhatToDo() {
    let pixels = ImageError.tooManyPixels(width: 50_000, height: 40_000, limit: 99)
    #expect(
      pixels.description
        == "the picture has 50000×40000 pixels and the limit is 99 pixels; "
        + "raise the limit if the file can be trusted")
    #expect(
      ImageError.truncated(.jpeg).description
        == "the JPEG file ends before the picture does; copy it again from where it came")
    #expect(
      ImageError.cannotEncode(.webP, reason: "no").description
        == "the picture can't be written as WebP: no")
  }
}
