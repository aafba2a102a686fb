package import LatentFiles
package import Tensors

extension LatentPreview {
  /// The projection that comes nearest to the picture's colours, by least squares.
  ///
  /// Solves (AᵀA + λI)·X = AᵀB for X `[C + 1, 3]`, where A has a row for each place of the latent,
  /// its C values and a 1, and B the mean colour of the pixels there. λ keeps it solvable where
  /// channels are constant. Rounded to three digits: it is for thumbnails.
  ///
  /// - Parameters:
  ///   - latent: `[1, h, w, C]`.
  ///   - pixels: `[1, h·f, w·f, 3]`, in −1…1.
  package init(fitting latent: Tensor, to pixels: Tensor) {
    let (rows, columns) = (latent.shape[1], latent.shape[2])
    var colors = MeanColors(rows: rows, columns: columns, factor: pixels.shape[1] / rows)
    colors.add(pixels)
    self.init(fitting: latent, to: colors)
  }

  /// The same from the mean colours.
  init(fitting latent: Tensor, to meanColors: MeanColors) {
    let colors = meanColors.means
    let unknowns = latent.shape[3] + 1
    var matrix = [[Double]](repeating: [Double](repeating: 0, count: unknowns + 3), count: unknowns)
    let values = latent.span
    var row = [Double](repeating: 1, count: unknowns + 3)
    for place in 0..<latent.shape[1] * latent.shape[2] {
      for channel in 0..<unknowns - 1 {
        row[channel] = Double(values[place * (unknowns - 1) + channel])
      }
      for color in 0..<3 { row[unknowns + color] = Double(colors[place * 3 + color]) }
      for i in 0..<unknowns {
        for j in i..<unknowns + 3 { matrix[i][j] += row[i] * row[j] }
      }
    }
    let ridge = 1e-6 * (0..<unknowns).reduce(1e-6) { $0 + matrix[$1][$1] } / Double(unknowns)
    for i in 0..<unknowns {
      matrix[i][i] += ridge
      for j in 0..<i { matrix[i][j] = matrix[j][i] }
    }
    Self.solve(&matrix)
    let solution = matrix.map { row in row[unknowns...].map(Self.rounded) }
    self.init(
      matrix: (0..<3).map { color in (0..<unknowns - 1).map { solution[$0][color] } },
      bias: solution[unknowns - 1])
  }

  /// The colours at each place of a latent: red, green and blue in −1…1.
  ///
  /// - Parameter latent: `[1, h, w, C]`.
  /// - Returns: `[1, h, w, 3]`.
  /// - Precondition: C is the projection's.
  package func colors(of latent: Tensor) -> Tensor {
    precondition(matrix.allSatisfy { $0.count == latent.shape[3] }, "a preview of another latent")
    let channels = latent.shape[3]
    let weight = Tensor(
      (0..<3 * channels).map { matrix[$0 % 3][$0 / 3] }, shape: [channels, 3])
    return latent.linear(weight, bias: Tensor(bias, shape: [3])).clamped(to: -1...1)
  }

  /// Gauss–Jordan elimination of a symmetric, positive definite system; the solution replaces the
  /// last three columns.
  private static func solve(_ matrix: inout [[Double]]) {
    for pivot in matrix.indices {
      let scale = 1 / matrix[pivot][pivot]
      for column in matrix[pivot].indices { matrix[pivot][column] *= scale }
      for row in matrix.indices where row != pivot {
        let factor = matrix[row][pivot]
        guard factor != 0 else { continue }
        for column in pivot..<matrix[row].count {
          matrix[row][column] -= factor * matrix[pivot][column]
        }
      }
    }
  }

  /// With three significant digits.
  private static func rounded(_ value: Double) -> Float {
    guard value != 0, value.isFinite else { return 0 }
    var scale = 1.0
    while abs(value) * scale < 100 && scale < 1e6 { scale *= 10 }
    return Float((value * scale).rounded() / scale)
  }
}
