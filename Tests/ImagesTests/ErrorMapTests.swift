import Images
import Testing

@Suite struct ErrorMapTests {
  private func picture(_ pixels: [[UInt8]]) -> Image {
    Image(pixels.count, 1, .rgb, pixels.flatMap { $0 })
  }

  @Test func errorsGoFromBlackThroughRedAndYellowToWhite() {
    let original = picture([
      [9, 99, 200], [100, 100, 100], [100, 100, 100], [0, 0, 0], [0, 0, 0],
    ])
    // Root mean squares: 0, 16, 32, 255, and √(48²/3) ≈ 27.7.
    let other = picture([
      [9, 99, 200], [116, 84, 116], [132, 132, 68], [255, 255, 255], [0, 48, 0],
    ])
    let expected: [UInt8] = [
      0, 0, 0, 255, 127, 0, 255, 255, 255, 255, 255, 255, 255, 255, 152,
    ]
    #expect(original.errorMap(to: other).eightBitSamples == expected)
    #expect(other.errorMap(to: original).eightBitSamples == expected)
  }

  @Test func opacityIsLeftOut() {
    let first = Image(1, 1, .rgba, [10, 20, 30, 0])
    let second = Image(1, 1, .rgba, [10, 20, 30, 255])
    #expect(first.errorMap(to: second).eightBitSamples == [0, 0, 0])
  }
}
