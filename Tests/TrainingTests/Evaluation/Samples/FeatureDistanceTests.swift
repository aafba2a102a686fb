import Tensors
import TestSupport
import Testing
import Training

@Suite struct FeatureDistanceTests {
  private func features(_ count: Int, _ dimension: Int, seed: UInt64, offset: Float = 0) -> Tensor {
    let scalars = sampleScalars(count * dimension, seed: seed)
    // Correlated: each number has a part of the one before.
    let mixed = scalars.indices.map { index in
      scalars[index] + offset + (index > 0 ? 0.6 * scalars[index - 1] : 0)
    }
    return Tensor(mixed, shape: [count, dimension])
  }

  private func vectors(_ tensor: Tensor) -> FeatureVectors {
    FeatureVectors(tensor.scalars.map { Double($0) }, dimension: tensor.shape[1])
  }

  private func frechet(_ x: Tensor, _ y: Tensor) throws -> Double {
    try FeatureDistribution(vectors(x)).frechetDistance(to: FeatureDistribution(vectors(y)))
  }

  @Test func shiftedSetsAreTheSquareOfTheShiftApart() throws {
    let x = features(50, 4, seed: 1)
    #expect(try abs(frechet(x, x + 2) - 16) < 1e-4)
    #expect(try abs(frechet(x, x)) < 1e-9)
  }

  @Test func independentNormalDistributionsHaveTheClosedForm() throws {
    // Variances 2 and 8 along one axis each: (√2 − √8)² = 2, without correlation.
    let x = FeatureVectors([1, 0, -1, 0, 0, 1, 0, -1], dimension: 2)
    let y = FeatureVectors([2, 0, -2, 0, 0, 2, 0, -2], dimension: 2)
    let distributions = [FeatureDistribution(x), FeatureDistribution(y)]
    // The variances are 2/3 and 8/3 on both axes.
    #expect(distributions[0].covariance.map { abs($0) < 1e-15 } == [false, true, true, false])
    #expect(abs(distributions[0].covariance[0] - 2.0 / 3) < 1e-15)
    let distance = try distributions[0].frechetDistance(to: distributions[1])
    #expect(abs(distance - 4.0 / 3) < 1e-12)
  }

  @Test func distancesAreSymmetric() throws {
    let (x, y) = (features(60, 5, seed: 1), features(40, 5, seed: 2, offset: 0.3))
    #expect(try abs(frechet(x, y) - frechet(y, x)) < 1e-9)
    let kernels = [
      KernelDistance.squared(vectors(x), vectors(y)),
      KernelDistance.squared(vectors(y), vectors(x)),
    ]
    #expect(abs(kernels[0] - kernels[1]) < 1e-12)
  }

  @Test func fewerVectorsThanFeaturesStillHaveADistance() throws {
    let few = FeatureDistribution(vectors(features(6, 8, seed: 1)))
    #expect(few.isRankDeficient)
    #expect(!FeatureDistribution(vectors(features(9, 8, seed: 1))).isRankDeficient)
    let other = FeatureDistribution(vectors(features(7, 8, seed: 2)))
    let distance = try few.frechetDistance(to: other)
    #expect(distance.isFinite && distance > 0)
  }

  @Test func featuresThatArentFiniteAreRefused() {
    let broken = FeatureDistribution(FeatureVectors([1, .nan, 0, 2], dimension: 2))
    #expect(throws: SampleEvaluationError.notFinite) { try broken.frechetDistance(to: broken) }
  }

  @Test func threadsDontChangeTheDistances() throws {
    let (x, y) = (features(33, 7, seed: 1), features(21, 7, seed: 2))
    let found = try [1, 3].map { count in
      try ThreadPool.$current.withValue(ThreadPool(threadCount: count)) {
        [try frechet(x, y), KernelDistance.squared(vectors(x), vectors(y))]
      }
    }
    #expect(found[0] == found[1])
  }

  @Test(
    .enabled(if: NumpyReference.isAvailable, Comment(rawValue: NumpyReference.absence)),
    arguments: [(200, 150, 16), (20, 300, 32)])
  func distancesAreThoseOfNumpy(m: Int, n: Int, dimension: Int) throws {
    let (x, y) = (
      features(m, dimension, seed: 3), features(n, dimension, seed: 4, offset: 0.2)
    )
    // 20 vectors of 32 numbers: a covariance without full rank.
    let expected = try NumpyReference.numbers(
      """
      s, t = numpy.cov(a, rowvar=False), numpy.cov(b, rowvar=False)
      roots = numpy.sqrt(numpy.abs(numpy.linalg.eigvals(s @ t)))
      frechet = ((a.mean(0) - b.mean(0))**2).sum() + numpy.trace(s) + numpy.trace(t) - 2 * roots.sum()
      k = lambda x, y: (x @ y.T / x.shape[1] + 1)**3
      m, n = len(a), len(b)
      off = lambda g: g.sum() - numpy.trace(g)
      kid = off(k(a, a)) / (m * (m - 1)) + off(k(b, b)) / (n * (n - 1)) - 2 * k(a, b).mean()
      numpy.array([frechet, kid])
      """, [x, y])
    let found = [try frechet(x, y), KernelDistance.squared(vectors(x), vectors(y))]
    for (found, expected) in zip(found, expected) {
      #expect(abs(found - expected) < 1e-6 * max(1, abs(expected)), "\(found) for \(expected)")
    }
  }
}
