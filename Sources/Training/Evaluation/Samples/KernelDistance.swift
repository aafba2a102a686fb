import Tensors

/// The kernel distance of two sets of features (KID): how far the means of their images under a
/// polynomial kernel are apart.
///
/// Bińkowski et al. 2018, "Demystifying MMD GANs", arXiv:1801.01401: the squared maximum mean
/// discrepancy (Gretton et al. 2012, equation 3) with k(x, y) = (xᵀy/d + 1)³, where d is the
/// dimension. Unlike Fréchet's distance it has no bias from the number of pictures, so its mean over
/// sets of one distribution is 0, and it may be negative.
public enum KernelDistance {
  /// Σ_{i≠j} k(xᵢ, xⱼ)/m(m−1) + Σ_{i≠j} k(yᵢ, yⱼ)/n(n−1) − 2 Σ k(xᵢ, yⱼ)/mn, over all pictures.
  ///
  /// - Precondition: both sets have two vectors at least, and vectors of one dimension.
  public static func squared(_ x: FeatureVectors, _ y: FeatureVectors) -> Double {
    precondition(
      x.count >= 2 && y.count >= 2 && x.dimension == y.dimension,
      "\(x.count) vectors of \(x.dimension) and \(y.count) of \(y.dimension)")
    let (m, n) = (Double(x.count), Double(y.count))
    return sum(x, x, omittingEqualPlaces: true) / (m * (m - 1))
      + sum(y, y, omittingEqualPlaces: true) / (n * (n - 1))
      - 2 * sum(x, y, omittingEqualPlaces: false) / (m * n)
  }

  private static func sum(
    _ x: FeatureVectors, _ y: FeatureVectors, omittingEqualPlaces: Bool
  ) -> Double {
    let d = x.dimension
    return ThreadPool.current.results(count: x.count) { i in
      var sum = 0.0
      let row = x.values.span.extracting(i * d..<(i + 1) * d)
      for j in 0..<y.count where !(omittingEqualPlaces && i == j) {
        let base =
          dotProduct(row, y.values.span.extracting(j * d..<(j + 1) * d)) / Double(d) + 1
        sum += base * base * base
      }
      return sum
    }.reduce(0, +)
  }
}
