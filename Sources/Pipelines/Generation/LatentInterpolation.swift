import Foundation
public import Models
public import Tensors

/// A way from one latent to another.
public enum LatentInterpolation: String, Sendable, CaseIterable {
  /// The straight line: (1 − t)·a + t·b.
  case lerp
  /// The arc of a circle around 0: sin((1 − t)θ)/sin θ · a + sin(tθ)/sin θ · b, where θ is the angle
  /// between a and b as vectors of all their numbers.
  ///
  /// Shoemake 1985, "Animating rotation with quaternion curves"; as in diffusers' audio pipeline and
  /// its community's pipelines, which also say when the vectors are so nearly parallel that the
  /// straight line is taken: |cos θ| > 0.9995.
  case slerp

  /// Where |cos θ| is above this, sin θ is too small to divide by.
  private static let parallelCosine = 0.9995

  /// The latent at `t`: `first` at 0, `second` at 1.
  ///
  /// - Precondition: the shapes agree.
  public func callAsFunction(_ first: Tensor, _ second: Tensor, at t: Double) -> Tensor {
    precondition(first.shape == second.shape, "from \(first.shape) to \(second.shape)")
    let weights = self == .slerp ? Self.arcWeights(first, second, t) : nil
    let (a, b) = weights ?? (1 - t, t)
    return first * Float(a) + second * Float(b)
  }

  /// Latents at `steps` places from `first` to `second`, both included.
  ///
  /// The way is taken in the range that `scaling` leads to, where 0 is the mean of latents.
  ///
  /// - Precondition: the shapes agree, and there are at least two steps.
  public func path(
    from first: Tensor, to second: Tensor, steps: Int, scaling: LatentScaling = LatentScaling()
  ) -> [Tensor] {
    precondition(steps >= 2, "\(steps) steps")
    let (a, b) = (scaling.toDiffusion(first), scaling.toDiffusion(second))
    return (0..<steps).map {
      scaling.toAutoencoder(self(a, b, at: Double($0) / Double(steps - 1)))
    }
  }

  /// What the latents count on the arc; nil where there is none.
  private static func arcWeights(
    _ first: Tensor, _ second: Tensor, _ t: Double
  ) -> (Double, Double)? {
    let (a, b) = (first.span, second.span)
    var product = 0.0
    for index in 0..<first.shape.scalarCount { product += Double(a[index]) * Double(b[index]) }
    let lengths = (first.sumOfSquares * second.sumOfSquares).squareRoot()
    guard lengths > 0, abs(product / lengths) <= parallelCosine else { return nil }
    let angle = acos(product / lengths)
    return (sin((1 - t) * angle) / sin(angle), sin(t * angle) / sin(angle))
  }
}
