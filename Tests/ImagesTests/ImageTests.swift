import Images
import Testing

@Suite struct ImageTests {
  @Test func sixteenBitsAreRoundedToTheNearestEight() {
    let all = (0...65535).map { UInt16($0) }
    let image = Image(width: 256, height: 256, channels: .grey, samples: .sixteenBit(all))
    #expect(image.eightBit().samples == .eightBit(all.map { UInt8((Int($0) + 128) / 257) }))
  }

  @Test func channelsAreAddedAndDropped() {
    let image = Image(2, 1, .greyAlpha, [10, 20, 30, 40])
    #expect(image.converted(to: .grey).samples == .eightBit([10, 30]))
    #expect(image.converted(to: .rgb).samples == .eightBit([10, 10, 10, 30, 30, 30]))
    #expect(image.converted(to: .rgba).samples == .eightBit([10, 10, 10, 20, 30, 30, 30, 40]))
    let color = Image(1, 1, .rgb, [1, 2, 3])
    #expect(color.converted(to: .rgba).samples == .eightBit([1, 2, 3, 255]))
    #expect(color.converted(to: .rgba).converted(to: .rgb).samples == color.samples)
    let wide = Image(width: 1, height: 1, channels: .grey, samples: .sixteenBit([7]))
    #expect(wide.converted(to: .greyAlpha).samples == .sixteenBit([7, 65535]))
  }

  @Test func aPictureMadeInMemoryHasNoFormat() {
    let image = Image.noise(width: 3, height: 2, channels: .greyAlpha, bitDepth: 16)
    #expect(
      image.source
        == ImageSource(
          format: nil, width: 3, height: 2, bitDepth: 16, isGrey: true, hasAlpha: true))
  }
}
