import COpenBLAS

/// The eigenvalues and eigenvectors of a symmetric matrix, in falling order.
package struct SymmetricEigenvectors: Sendable {
  /// The eigenvalues.
  package let values: [Double]
  /// The eigenvectors, of length 1; the largest component of each is positive.
  package let vectors: [[Double]]

  /// Decomposes a matrix with LAPACK's `dsyevd`, on the calling thread.
  ///
  /// Nil if a number isn't finite, or the iteration doesn't converge.
  ///
  /// - Parameters:
  ///   - matrix: The numbers, row by row.
  ///   - size: The number of rows, at least 1.
  package init?(of matrix: [Double], size: Int) {
    precondition(size >= 1 && matrix.count == size * size, "\(matrix.count) numbers for \(size)²")
    guard matrix.allSatisfy(\.isFinite) else { return nil }
    BLAS.useOneThread()
    var vectors = matrix
    var values = [Double](repeating: 0, count: size)
    var (n, info) = (blasint(size), blasint(0))
    var workCount = blasint(1 + 6 * size + 2 * size * size)
    var integerCount = blasint(3 + 5 * size)
    var work = [Double](repeating: 0, count: Int(workCount))
    var integers = [blasint](repeating: 0, count: Int(integerCount))
    unsafe dsyevd_(
      "V", "U", &n, &vectors, &n, &values, &work, &workCount, &integers, &integerCount, &info, 1, 1)
    guard info == 0 else { return nil }
    self.values = values.reversed()
    self.vectors = (0..<size).reversed().map { index in
      let vector = vectors[index * size..<(index + 1) * size]
      let largest = vector.max { abs($0) < abs($1) } ?? 0
      return vector.map { largest < 0 ? -$0 : $0 }
    }
  }
}
