import Tensors

/// The mean colour of each square of pixels, from a picture that comes in bands of rows.
struct MeanColors {
  private let factor: Int
  private let columns: Int
  private var sums: [Float]
  private var rowCount = 0

  /// For squares of `factor` × `factor` pixels, `rows` × `columns` of them.
  init(rows: Int, columns: Int, factor: Int) {
    self.factor = factor
    self.columns = columns
    sums = [Float](repeating: 0, count: rows * columns * 3)
  }

  /// Adds the next rows, `[1, rows, columns · factor, 3]`.
  mutating func add(_ pixels: Tensor) {
    let values = pixels.span
    for y in 0..<pixels.shape[1] {
      let line = (rowCount + y) / factor * columns
      for x in 0..<columns * factor {
        let place = (line + x / factor) * 3
        let pixel = (y * columns * factor + x) * 3
        for color in 0..<3 { sums[place + color] += values[pixel + color] }
      }
    }
    rowCount += pixels.shape[1]
  }

  /// Red, green and blue of each square.
  var means: [Float] {
    let area = Float(factor * factor)
    return sums.map { $0 / area }
  }
}
