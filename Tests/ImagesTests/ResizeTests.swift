import Images
import Testing

@Suite struct ResizeTests {
  @Test(arguments: Image.Channels.allCases, [8, 16])
  func plainColoursStay(channels: Image.Channels, bitDepth: Int) {
    for (width, height) in awkwardSizes {
      let pixel = [200, 100, 50, 77].prefix(channels.count)
      let image = Image.repeating(Array(pixel), width, height, channels, bitDepth)
      for (newWidth, newHeight) in awkwardSizes {
        let resized = image.resized(width: newWidth, height: newHeight)
        #expect(
          resized.samples
            == Image.repeating(Array(pixel), newWidth, newHeight, channels, bitDepth).samples)
      }
    }
  }

  @Test func hiddenColoursDoNotBleed() {
    // Left white, right a hidden red: in between there is only white, more or less opaque.
    let row = (0..<16).flatMap { $0 < 8 ? [255, 255, 255, 255] : [255, 0, 0, 0] as [UInt8] }
    let samples = Image(16, 1, .rgba, row).resized(width: 5, height: 1).eightBitSamples
    for pixel in stride(from: 0, to: samples.count, by: 4) where samples[pixel + 3] > 0 {
      #expect(samples[pixel..<pixel + 3] == [255, 255, 255])
    }
  }

  @Test func aSmoothPictureStaysSmooth() {
    let large = Image.gradient(width: 120, height: 90)
    let small = large.resized(width: 40, height: 30)
    // The ramp's ends are means over three columns now.
    #expect(small.peakSignalToNoiseRatio(to: .gradient(width: 40, height: 30)) > 40)
  }

  @Test func thumbnailsKeepTheirProportions() {
    let image = Image.noise(width: 300, height: 100)
    let thumbnail = image.thumbnail(longestSide: 128)
    #expect([thumbnail.width, thumbnail.height] == [128, 43])
    #expect(image.thumbnail(longestSide: 300).samples == image.samples)
    #expect(Image.noise(width: 300, height: 1).thumbnail(longestSide: 10).height == 1)
  }
}

extension Image {
  fileprivate static func repeating(
    _ pixel: [Int], _ width: Int, _ height: Int, _ channels: Channels, _ bitDepth: Int
  ) -> Image {
    let all = (0..<width * height).flatMap { _ in pixel }
    return Image(
      width: width, height: height, channels: channels,
      samples: bitDepth == 8
        ? .eightBit(all.map { UInt8($0) }) : .sixteenBit(all.map { UInt16($0) }))
  }
}
