import Images
import Testing

@Suite struct AlphaTests {
  @Test func picturesAreBlendedOverAColour() {
    let image = Image(3, 1, .rgba, [200, 100, 0, 0, 200, 100, 0, 255, 200, 100, 0, 51])
    #expect(
      image.flattened(red: 10, green: 20, blue: 30).samples
        == .eightBit([10, 20, 30, 200, 100, 0, 48, 36, 24]))
    #expect(image.flattened(red: 0, green: 0, blue: 0).channels == .rgb)
  }

  @Test func greyOverGreyStaysGrey() {
    let image = Image(1, 1, .greyAlpha, [100, 0])
    #expect(image.flattened(red: 9, green: 9, blue: 9).channels == .grey)
    #expect(image.flattened(red: 9, green: 8, blue: 9).samples == .eightBit([9, 8, 9]))
  }

  @Test func sixteenBitsAreBlendedAsSuch() {
    let image = Image(
      width: 1, height: 1, channels: .greyAlpha, samples: .sixteenBit([1001, 65535]))
    #expect(image.flattened(red: 0, green: 0, blue: 0).samples == .sixteenBit([1001]))
  }

  @Test(arguments: [Image.Channels.greyAlpha, .rgba], [8, 16])
  func separatedPicturesCanBeJoined(channels: Image.Channels, bitDepth: Int) throws {
    for (width, height) in awkwardSizes {
      let image = Image.noise(
        width: width, height: height, channels: channels, bitDepth: bitDepth)
      let (colors, alpha) = image.separatingAlpha()
      #expect(colors.channels == channels.with(alpha: false))
      let joined = colors.joining(alpha: try #require(alpha))
      // Noise may be fully transparent somewhere; there the colours may differ.
      #expect(
        joined.flattened(red: 0, green: 0, blue: 0).samples
          == image.flattened(red: 0, green: 0, blue: 0).samples)
      #expect(joined.separatingAlpha().alpha?.samples == alpha?.samples)
    }
  }

  @Test func anOpaquePictureHasNoAlpha() {
    let image = Image.noise(width: 3, height: 3)
    #expect(image.separatingAlpha().alpha == nil)
    #expect(image.separatingAlpha().colors.samples == image.samples)
  }

  @Test func joiningConvertsTheBitDepth() {
    let colors = Image(width: 1, height: 1, channels: .grey, samples: .sixteenBit([500]))
    #expect(colors.joining(alpha: Image(1, 1, .grey, [255])).samples == .sixteenBit([500, 65535]))
    let narrow = Image(1, 1, .grey, [5])
    let alpha = Image(width: 1, height: 1, channels: .grey, samples: .sixteenBit([65535]))
    #expect(narrow.joining(alpha: alpha).samples == .eightBit([5, 255]))
  }
}
