import Images
import Tensors
import Testing

@Suite struct PaddingTests {
  @Test(arguments: [1, 2, 3, 8, 16])
  func paddedSidesAreMultiplesAndTheEdgeIsRepeated(factor: Int) {
    for (width, height) in awkwardSizes {
      let scalars = (0..<2 * height * width * 3).map { Float($0) }
      let tensor = Tensor(scalars, shape: [2, height, width, 3])
      let padded = tensor.padded(toMultipleOf: factor)
      let (rows, columns) = (padded.shape[1], padded.shape[2])
      #expect(rows % factor == 0 && (height..<height + factor).contains(rows))
      #expect(columns % factor == 0 && (width..<width + factor).contains(columns))
      var expected: [Float] = []
      for picture in 0..<2 {
        for y in 0..<rows {
          for x in 0..<columns {
            let row = picture * height + min(y, height - 1)
            let pixel = row * width + min(x, width - 1)
            expected += scalars[pixel * 3..<pixel * 3 + 3]
          }
        }
      }
      #expect(padded.scalars == expected)
      #expect(padded.cropped(height: height, width: width).scalars == scalars)
      #expect(padded.cropped(height: height, width: width).shape == tensor.shape)
    }
  }
}
