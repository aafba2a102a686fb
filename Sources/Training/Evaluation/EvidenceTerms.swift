import Tensors

/// What is needed of a picture for its ELBO with a normal likelihood, whose σ may be chosen later.
public struct EvidenceSample: Hashable, Sendable {
  /// D, the picture's numbers: three for each pixel.
  public let sampleCount: Int
  /// Σ(x − y)² over them, in −1…1, where y is decoded from a sample of q(z|x).
  public let squaredError: Double
  /// KL(q(z|x) ‖ N(0, 1)) in nats.
  public let divergence: Double

  /// - Parameters:
  ///   - sampleCount: D.
  ///   - meanSquaredError: that of the picture, in levels of 8 bits.
  ///   - divergence: in nats.
  public init(sampleCount: Int, meanSquaredError: Double, divergence: Double) {
    self.sampleCount = sampleCount
    // A level is 2/255 of −1…1.
    squaredError = meanSquaredError * Double(sampleCount) * 4 / (255 * 255)
    self.divergence = divergence
  }

  /// The σ that makes the ELBO of all pictures together greatest: the root of their mean squared
  /// error (Rybkin, Daniilidis and Levine 2020, arXiv:2006.13202, section 3.2).
  ///
  /// No less than what rounding to 8 bits does by itself, (2/255)/√12.
  ///
  /// - Returns: nil without pictures.
  public static func bestSigma(for samples: [EvidenceSample]) -> Double? {
    let count = samples.reduce(0) { $0 + $1.sampleCount }
    guard count > 0 else { return nil }
    let square = samples.reduce(0) { $0 + $1.squaredError } / Double(count)
    return max(square, 4 / (255 * 255 * 12.0)).squareRoot()
  }

  /// ln p(x|z) = −Σ(x − y)²/2σ² − D·(ln σ + ½ ln 2π), in nats.
  func logLikelihood(sigma: Double) -> Double {
    -squaredError / (2 * sigma * sigma) - Double(sampleCount)
      * (ElementaryFunctions.logarithm(sigma) + halfLogTwoPi)
  }
}

/// The ELBO and its parts: E[ln p(x|z)] − KL(q ‖ p), estimated from one sample of each posterior.
///
/// Kingma and Welling 2013, arXiv:1312.6114, equation 3. In bits a dimension a picture's numbers are
/// the 256 levels of 8 bits, as ``EvidenceBounds/bitsPerDimension(_:)`` has it, and the two parts
/// are what the picture costs given the latent, and what the latent costs.
public struct EvidenceTerms: Hashable, Sendable, Encodable {
  /// σ of the likelihood, in −1…1.
  public let sigma: Double
  /// E[ln p(x|z)] in nats a picture.
  public let logLikelihood: Double
  /// KL(q(z|x) ‖ N(0, 1)) in nats a picture.
  public let kl: Double
  /// Their difference, in nats a picture.
  public let elbo: Double
  /// −E[log₂ p(x|z)] for a number of 8 bits.
  public let reconstructionBitsPerDimension: Double
  /// KL in bits for such a number.
  public let klBitsPerDimension: Double
  /// The sum of both: what −ELBO says a number costs at most.
  public let bitsPerDimension: Double

  /// The terms of pictures: nats are means over pictures, bits over all their numbers.
  ///
  /// - Precondition: there is a picture.
  public init(of samples: [EvidenceSample], sigma: Double) {
    precondition(!samples.isEmpty, "evidence of no pictures")
    let count = Double(samples.count)
    let dimensions = samples.reduce(0) { $0 + $1.sampleCount }
    let likelihood = samples.reduce(0) { $0 + $1.logLikelihood(sigma: sigma) }
    let divergence = samples.reduce(0) { $0 + $1.divergence }
    self.sigma = sigma
    logLikelihood = likelihood / count
    kl = divergence / count
    elbo = logLikelihood - kl
    reconstructionBitsPerDimension = EvidenceBounds.bitsPerDimension(
      likelihood, sampleCount: dimensions)
    klBitsPerDimension = divergence / (Double(dimensions) * logTwo)
    bitsPerDimension = reconstructionBitsPerDimension + klBitsPerDimension
  }
}
