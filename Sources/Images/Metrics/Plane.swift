/// One channel of a picture in floats.
struct Plane {
  var width: Int
  var height: Int
  var values: [Float]

  /// The products of the values of both.
  func multiplied(by other: Plane) -> Plane {
    var product = self
    product.values = PixelLoops.products(values, other.values)
    return product
  }

  /// Weighted means of squares of `window.count` a side, for those that lie inside.
  func blurred(_ window: [Float]) -> Plane {
    let blurredWidth = width - window.count + 1
    let blurredHeight = height - window.count + 1
    let rows = PixelLoops.blurredRows(values, width: width, height: height, window)
    return Plane(
      width: blurredWidth, height: blurredHeight,
      values: PixelLoops.blurredColumns(rows, width: blurredWidth, height: height, window))
  }

  /// Half the size: means of 2×2, where an odd side is padded with a zero before and after.
  func halved() -> Plane {
    let (padX, padY) = (width % 2, height % 2)
    let half = ((width + padX) / 2, (height + padY) / 2)
    var result = Plane(
      width: half.0, height: half.1, values: Array(repeating: 0, count: half.0 * half.1))
    for y in 0..<height where (y + padY) / 2 < half.1 {
      for x in 0..<width where (x + padX) / 2 < half.0 {
        result.values[(y + padY) / 2 * half.0 + (x + padX) / 2] += values[y * width + x] / 4
      }
    }
    return result
  }
}
