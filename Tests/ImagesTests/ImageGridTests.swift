import Images
import Testing

@Suite struct ImageGridTests {
  @Test func picturesStandInRowsWithSpaceBetween() {
    let tiles = (1...3).map { Image(2, 1, .grey, [UInt8($0 * 10), UInt8($0 * 10)]) }
    let grid = ImageGrid(columnCount: 2, padding: 1, background: 9).image(of: tiles)
    #expect((grid.width, grid.height) == (7, 5))
    let red = stride(from: 0, to: grid.samples.count, by: 3).map { grid.eightBitSamples[$0] }
    #expect(
      red == [
        9, 9, 9, 9, 9, 9, 9,
        9, 10, 10, 9, 20, 20, 9,
        9, 9, 9, 9, 9, 9, 9,
        9, 30, 30, 9, 9, 9, 9,
        9, 9, 9, 9, 9, 9, 9,
      ])
  }

  @Test func smallerPicturesAndOpacityAreTaken() {
    let clear = Image(1, 1, .rgba, [1, 2, 3, 0])
    let large = Image(2, 2, .rgb, Array(repeating: 50, count: 12))
    let grid = ImageGrid(columnCount: 8, padding: 0).image(of: [clear, large])
    #expect((grid.width, grid.height) == (4, 2))
    #expect(Array(grid.eightBitSamples.prefix(9)) == [255, 255, 255, 255, 255, 255, 50, 50, 50])
  }

  @Test func aPartIsCutOut() {
    let image = Image.noise(width: 9, height: 7)
    let part = image.cropped(x: 2, y: 3, width: 5, height: 4)
    for y in 0..<4 {
      for x in 0..<15 {
        #expect(
          part.eightBitSamples[y * 15 + x] == image.eightBitSamples[(y + 3) * 27 + 6 + x])
      }
    }
  }
}
