import Models
import Pipelines
import Tensors
import TestSupport
import Testing

@Suite struct LatentInterpolationTests {
  private let a = Tensor([0.5, -1.25, 2, 0.75], shape: [1, 1, 2, 2])
  private let b = Tensor([-1.5, 0.25, 1, 3], shape: [1, 1, 2, 2])

  /// numpy: `slerp(t, v0, v1)` of diffusers' community pipelines, with
  /// `dot = np.sum(v0 * v1 / (np.linalg.norm(v0) * np.linalg.norm(v1)))`.
  @Test(arguments: [
    (0.25, [-0.0556929, -0.9717966, 1.9992861, 1.5830039]),
    (0.5, [-0.6063881, -0.6063881, 1.8191644, 2.2739554]),
    (0.9, [-1.3554639, 0.0758797, 1.2037044, 2.9359741]),
  ])
  func theArcIsThatOfNumpy(_ t: Double, _ expected: [Float]) {
    #expect(relativeError(LatentInterpolation.slerp(a, b, at: t).scalars, expected) < 1e-6)
  }

  @Test func theArcKeepsLengthsAndEnds() {
    let first = sampleTensor([1, 5, 6, 4], seed: 1)
    let other = sampleTensor([1, 5, 6, 4], seed: 2)
    let second = other * Float((first.sumOfSquares / other.sumOfSquares).squareRoot())
    let path = LatentInterpolation.slerp.path(from: first, to: second, steps: 9)
    #expect(path[0].scalars == first.scalars && path[8].scalars == second.scalars)
    for latents in path {
      #expect(abs(latents.sumOfSquares / first.sumOfSquares - 1) < 1e-5)
    }
    // The line between them comes nearer to 0, which is why there are arcs.
    let middle = LatentInterpolation.lerp(first, second, at: 0.5)
    #expect(middle.sumOfSquares < 0.75 * first.sumOfSquares)
  }

  @Test func theLineIsTheWeightedMean() {
    let path = LatentInterpolation.lerp.path(from: a, to: b, steps: 5)
    #expect(relativeError(path[1].scalars, [0, -0.875, 1.75, 1.3125]) < 1e-6)
  }

  @Test func nearlyParallelLatentsAreJoinedByALine() {
    let near = Tensor(a.scalars.map { $0 * 3 + 0.001 }, shape: a.shape)
    for other in [near, -a, Tensor(zeros: a.shape)] {
      let arc = LatentInterpolation.slerp(a, other, at: 0.3)
      #expect(arc.scalars == LatentInterpolation.lerp(a, other, at: 0.3).scalars)
      #expect(arc.isFinite)
    }
  }

  @Test func theArcGoesAroundTheMeanOfTheScaling() {
    let scaling = LatentScaling(factor: 0.5, shift: 3)
    let path = LatentInterpolation.slerp.path(from: a + 3, to: b + 3, steps: 3, scaling: scaling)
    let expected = LatentInterpolation.slerp(a, b, at: 0.5) + 3
    #expect(relativeError(path[1], expected) < 1e-6)
  }
}
