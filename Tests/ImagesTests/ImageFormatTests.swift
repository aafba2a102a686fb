import Images
import Testing

@Suite struct ImageFormatTests {
  @Test(arguments: [ImageEncoding.png(), .jpeg(), .webP(), .webPLossless])
  func writtenFilesAreRecognised(encoding: ImageEncoding) throws {
    let file = try Image.noise(width: 2, height: 2).encoded(as: encoding)
    #expect(ImageFormat(firstBytes: file) == encoding.format)
    #expect(try Image(decoding: file).source.format == encoding.format)
  }

  @Test func otherBytesAreNot() {
    for bytes in ["", "GIF89a", "RIFF1234WAVE", "RIFF", "\u{89}PNG"] {
      #expect(ImageFormat(firstBytes: Array(bytes.utf8)) == nil)
    }
  }
}
