import Tensors

/// The features of pictures: a vector of each, in double precision.
public struct FeatureVectors: Sendable {
  /// How many vectors there are.
  public let count: Int
  /// How many numbers each has.
  public let dimension: Int
  /// The numbers, vector by vector.
  public let values: [Double]

  /// Vectors.
  ///
  /// - Precondition: the numbers are whole vectors.
  public init(_ values: [Double], dimension: Int) {
    precondition(
      dimension >= 1 && values.count.isMultiple(of: dimension),
      "\(values.count) numbers as vectors of \(dimension)")
    self.values = values
    self.dimension = dimension
    count = values.count / dimension
  }

  /// Some of the vectors.
  public func vectors(_ indices: some Sequence<Int>) -> FeatureVectors {
    FeatureVectors(
      indices.flatMap { values[$0 * dimension..<($0 + 1) * dimension] }, dimension: dimension)
  }
}

/// The mean and the covariance of features, which Fréchet's distance is about.
public struct FeatureDistribution: Sendable {
  /// How many vectors it comes from.
  public let count: Int
  /// The mean.
  public let mean: [Double]
  /// The covariance, row by row, without bias: divided by the count less one.
  public let covariance: [Double]

  /// The distribution of some vectors.
  ///
  /// - Precondition: there are two at least.
  public init(_ features: FeatureVectors) {
    precondition(features.count >= 2, "a covariance of \(features.count) vectors")
    let (count, dimension) = (features.count, features.dimension)
    var mean = [Double](repeating: 0, count: dimension)
    for index in features.values.indices { mean[index % dimension] += features.values[index] }
    for index in mean.indices { mean[index] /= Double(count) }
    // By columns, so that a row of the covariance is sums of products of columns.
    let columns = (0..<dimension).map { column in
      (0..<count).map { features.values[$0 * dimension + column] - mean[column] }
    }
    let rows = ThreadPool.current.results(count: dimension) { row in
      (0..<dimension).map { column in
        dotProduct(columns[row], columns[column]) / Double(count - 1)
      }
    }
    self.count = count
    self.mean = mean
    covariance = rows.flatMap { $0 }
  }

  /// Whether there are too few vectors for a covariance of full rank.
  public var isRankDeficient: Bool { count <= mean.count }

  /// Fréchet's distance of the normal distributions with these means and covariances, squared as
  /// usual: ‖μ₁ − μ₂‖² + tr(Σ₁ + Σ₂ − 2(Σ₁Σ₂)^½).
  ///
  /// Dowson and Landau 1982; as a measure of samples Heusel et al. 2017, arXiv:1706.08500, equation
  /// 6. The trace of the root is Σ√λ over the eigenvalues of √Σ₁Σ₂√Σ₁, or, which has the same, of
  /// D½VᵀΣ₂VD½ with Σ₁ = VDVᵀ.
  ///
  /// - Returns: the distance, at least 0 but for rounding.
  /// - Throws: ``SampleEvaluationError/notFinite``.
  /// - Precondition: both are about vectors of one dimension.
  public func frechetDistance(
    to other: FeatureDistribution
  ) throws(SampleEvaluationError) -> Double {
    let size = mean.count
    precondition(other.mean.count == size, "\(size) and \(other.mean.count) features")
    guard let own = SymmetricEigenvectors(of: covariance, size: size) else { throw .notFinite }
    // Row i of `images` is Σ₂vᵢ.
    let images = ThreadPool.current.results(count: size) { index in
      let vector = own.vectors[index]
      return (0..<size).map { row in
        dotProduct(
          other.covariance.span.extracting(row * size..<(row + 1) * size), vector.span)
      }
    }
    let roots = own.values.map { max(0, $0).squareRoot() }
    var product = [Double](repeating: 0, count: size * size)
    for row in 0..<size {
      for column in 0...row {
        let value =
          roots[row] * roots[column] * dotProduct(own.vectors[row], images[column])
        (product[row * size + column], product[column * size + row]) = (value, value)
      }
    }
    guard let joint = SymmetricEigenvectors(of: product, size: size) else { throw .notFinite }
    var distance = 0.0
    for (first, second) in zip(mean, other.mean) {
      distance += (first - second) * (first - second)
    }
    for index in 0..<size {
      distance += covariance[index * (size + 1)] + other.covariance[index * (size + 1)]
    }
    return distance - 2 * joint.values.reduce(0) { $0 + max(0, $1).squareRoot() }
  }
}

/// The sum of the products of the numbers of two vectors, in an order that is always the same.
func dotProduct(_ left: Span<Double>, _ right: Span<Double>) -> Double {
  precondition(left.count == right.count, "vectors of \(left.count) and \(right.count)")
  var sums = SIMD8<Double>.zero
  var index = 0
  while index + 8 <= left.count {
    for lane in 0..<8 { sums[lane] += left[index + lane] * right[index + lane] }
    index += 8
  }
  var sum = sums.sum()
  while index < left.count {
    sum += left[index] * right[index]
    index += 1
  }
  return sum
}

/// The sum of the products of the numbers of two vectors.
private func dotProduct(_ left: [Double], _ right: [Double]) -> Double {
  dotProduct(left.span, right.span)
}
