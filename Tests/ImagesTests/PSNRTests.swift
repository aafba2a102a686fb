import Images
import Testing

@Suite struct PSNRTests {
  @Test func equalPicturesAreInfinitelyAlike() {
    let image = Image.noise(width: 17, height: 3)
    #expect(image.meanSquaredError(to: image) == 0)
    #expect(image.peakSignalToNoiseRatio(to: image) == .infinity)
  }

  @Test func theErrorIsTheMeanOfSquares() {
    let first = Image(2, 1, .rgb, [0, 10, 255, 5, 5, 5])
    let second = Image(2, 1, .rgb, [0, 13, 251, 5, 5, 5])
    #expect(first.meanSquaredError(to: second) == 25.0 / 6)
    // 10·log₁₀(255² / (25/6))
    #expect(abs(first.peakSignalToNoiseRatio(to: second) - 41.93290) < 1e-4)
  }

  @Test func theLargestErrorIsZeroDecibels() {
    let black = Image(300, 300, .grey, Array(repeating: 0, count: 90_000))
    let white = Image(300, 300, .rgba, Array(repeating: 255, count: 360_000))
    #expect(black.peakSignalToNoiseRatio(to: white) == 0)
  }
}
