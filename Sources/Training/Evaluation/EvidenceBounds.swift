public import Models
public import Tensors

/// Lower bounds of ln p(x) of pictures, in nats: the ELBO, and the tighter one of importance
/// weighting.
public struct EvidenceBounds: Hashable, Sendable {
  /// E[ln p(x|z)] − KL(q ‖ p) of each picture: the mean over the samples, and KL in closed form.
  ///
  /// Kingma and Welling 2013, arXiv:1312.6114, equation 3.
  public let elbo: [Double]
  /// ln 1/K Σₖ p(x|zₖ)p(zₖ)/q(zₖ|x) of each picture.
  ///
  /// Burda, Grosse and Salakhutdinov 2015, arXiv:1509.00519, equation 8. In the mean it is at least
  /// the ELBO, and the greater the more samples there are.
  public let importanceWeighted: [Double]
  /// How many numbers a picture has.
  public let samplesOfAPicture: Int

  /// The bounds of pictures.
  ///
  /// - Parameters:
  ///   - pictures: x, `[N, H, W, 3]` in −1…1.
  ///   - posterior: q(z|x). A deterministic one has no bounds that mean anything.
  ///   - likelihood: ln p(x|z).
  ///   - sampleCount: K, at least 1.
  ///   - source: gives the samples' noise.
  ///   - decode: the pictures of latents.
  /// - Precondition: the posterior has a variance.
  public init(
    of pictures: Tensor, posterior: DiagonalGaussianDistribution, likelihood: Likelihood,
    sampleCount: Int, using source: inout some RandomSource, decode: (Tensor) -> Tensor
  ) {
    precondition(sampleCount >= 1, "\(sampleCount) samples")
    guard let logVariance = posterior.logVariance else {
      preconditionFailure("bounds of a deterministic autoencoder")
    }
    let count = pictures.shape[0]
    var densities: [[Double]] = []
    var logWeights: [[Double]] = []
    for _ in 0..<sampleCount {
      let noise = Tensor.randomNormal(shape: posterior.mean.shape, using: &source)
      let latents = posterior.sample(noise: noise)
      let density = likelihood.logDensities(of: pictures, around: decode(latents))
      densities.append(density)
      // ln p(z) − ln q(z|x) = ½ Σ (ε² + ln σ² − z²)
      let terms = noise.squared() + logVariance - latents.squared()
      let ratios = terms.sumsOfPictures()
      logWeights.append((0..<count).map { density[$0] + ratios[$0] / 2 })
    }
    let divergences = posterior.klDivergence().scalars
    elbo = (0..<count).map { picture in
      densities.reduce(0) { $0 + $1[picture] } / Double(sampleCount)
        - Double(divergences[picture])
    }
    importanceWeighted = (0..<count).map { picture in
      logarithmOfMean(logWeights.map { $0[picture] })
    }
    samplesOfAPicture = pictures.shape.samplesOfAPicture
  }

  /// What a bound says a sample of the picture costs at most, in bits, if the picture's samples are
  /// the 256 levels of 8 bits: the density is taken as even over a level's width, 2/255 in −1…1.
  ///
  /// - Parameter bound: in nats a picture.
  /// - Returns: −bound/(samples · ln 2) − log₂(2/255).
  public func bitsPerDimension(_ bound: Double) -> Double {
    Self.bitsPerDimension(bound, sampleCount: samplesOfAPicture)
  }

  /// The same for a picture of `sampleCount` numbers.
  static func bitsPerDimension(_ bound: Double, sampleCount: Int) -> Double {
    (-bound / Double(sampleCount) + ElementaryFunctions.logarithm(127.5)) / logTwo
  }
}

/// ln of the mean of eˣ, without overflow.
func logarithmOfMean(_ logarithms: [Double]) -> Double {
  let greatest = logarithms.max() ?? 0
  let sum = logarithms.reduce(0) { $0 + exponential($1 - greatest) }
  return greatest + ElementaryFunctions.logarithm(sum / Double(logarithms.count))
}

extension Tensor {
  /// The sum of each picture's numbers, in double precision.
  fileprivate func sumsOfPictures() -> [Double] {
    let size = shape.scalarCount / max(shape[0], 1)
    let span = span
    return (0..<shape[0]).map { picture in
      var sum = 0.0
      for index in picture * size..<(picture + 1) * size { sum += Double(span[index]) }
      return sum
    }
  }
}
