import Images
import Testing

@Suite struct TransparentColorsTests {
  @Test func hiddenColoursTakeThoseAround() {
    // A red half, and a half that hides green.
    var samples: [UInt8] = []
    for _ in 0..<16 {
      for x in 0..<16 { samples += x < 8 ? [200, 10, 10, 255] : [0, 255, 0, 0] }
    }
    let colors = Image(16, 16, .rgba, samples).separatingAlpha().colors
    #expect(colors.samples == .eightBit(Array([[200, 10, 10]].repeated(256).joined())))
  }

  @Test func visibleColoursStay() {
    for (width, height) in awkwardSizes {
      let image = Image.noise(width: width, height: height, channels: .rgba)
      guard case .eightBit(var samples) = image.samples else { continue }
      for pixel in stride(from: 0, to: width * height, by: 3) { samples[pixel * 4 + 3] = 0 }
      let holed = Image(width, height, .rgba, samples)
      let filled = holed.fillingTransparentColors().eightBitSamples
      for pixel in 0..<width * height where samples[pixel * 4 + 3] > 0 {
        #expect(filled[pixel * 4..<pixel * 4 + 4] == samples[pixel * 4..<pixel * 4 + 4])
      }
    }
  }

  @Test func filledColoursLieBetweenThoseAround() {
    let image = Image(5, 1, .greyAlpha, [50, 255, 0, 0, 255, 0, 0, 0, 150, 255])
    let filled = image.separatingAlpha().colors.eightBitSamples
    #expect(filled.first == 50 && filled.last == 150)
    #expect(filled.allSatisfy { (50...150).contains($0) })
  }

  @Test func aTransparentPictureBecomesMiddleGrey() {
    let image = Image(3, 2, .rgba, Array(repeating: 0, count: 24))
    #expect(image.separatingAlpha().colors.samples == .eightBit(Array(repeating: 128, count: 18)))
    let wide = Image(width: 1, height: 1, channels: .greyAlpha, samples: .sixteenBit([9, 0]))
    #expect(wide.separatingAlpha().colors.samples == .sixteenBit([32768]))
  }
}

extension Array {
  fileprivate func repeated(_ count: Int) -> [Element] {
    (0..<count).flatMap { _ in self }
  }
}
