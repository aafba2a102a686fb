public import Tensors

/// ln p(x|z): the density of a picture's samples around a reconstruction, with one scale.
public enum Likelihood: Hashable, Sendable {
  /// N(x; y, σ²) for each sample.
  case gaussian(sigma: Double)
  /// exp(−|x − y|/b)/(2b) for each sample.
  case laplace(scale: Double)

  /// The likelihood that an objective makes great; nil where its term isn't one.
  ///
  /// - Parameters:
  ///   - settings: those of the run.
  ///   - parameters: those that were learned with it.
  public init?(_ settings: ObjectiveSettings, parameters: ObjectiveParameters) {
    let learned = parameters.logScale.map { exponential(Double($0.scalars[0])) }
    let scale = learned ?? settings.likelihoodScale
    switch settings.reconstruction {
    case .gaussian: self = .gaussian(sigma: scale)
    case .laplace: self = .laplace(scale: scale)
    case .mse, .l1, .huber: return nil
    }
  }

  /// ln p(x|z) of each picture in nats, summed over its samples in double precision.
  ///
  /// - Parameters:
  ///   - pictures: x, `[N, …]`.
  ///   - reconstructions: y, of the same shape.
  /// - Returns: a number for each picture.
  /// - Precondition: the shapes agree.
  public func logDensities(of pictures: Tensor, around reconstructions: Tensor) -> [Double] {
    precondition(
      pictures.shape == reconstructions.shape,
      "\(pictures.shape) reconstructed as \(reconstructions.shape)")
    let count = pictures.shape[0]
    let size = pictures.shape.scalarCount / max(count, 1)
    let (x, y) = (pictures.span, reconstructions.span)
    return (0..<count).map { picture in
      var (absolute, squares) = (0.0, 0.0)
      for index in picture * size..<(picture + 1) * size {
        let distance = Double(y[index]) - Double(x[index])
        absolute += abs(distance)
        squares += distance * distance
      }
      switch self {
      case .gaussian(let sigma):
        let constant = ElementaryFunctions.logarithm(sigma) + halfLogTwoPi
        return -squares / (2 * sigma * sigma) - Double(size) * constant
      case .laplace(let scale):
        return -absolute / scale - Double(size) * ElementaryFunctions.logarithm(2 * scale)
      }
    }
  }
}
