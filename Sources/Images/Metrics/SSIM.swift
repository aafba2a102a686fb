import Foundation
import Synchronization
import Tensors

extension Image {
  /// The structural similarity of both pictures, at most 1: the mean over all windows and over red,
  /// green and blue, in 8 bits.
  ///
  /// Wang et al. 2004, "Image Quality Assessment: From Error Visibility to Structural Similarity":
  /// Gaussian window of 11×11 with σ = 1.5, K₁ = 0.01, K₂ = 0.03, only windows that lie inside, as
  /// pytorch-msssim. Opacity is left out, grey is repeated.
  ///
  /// - Precondition: both pictures have the same size.
  /// - Returns: The similarity; nil when a side is shorter than the window.
  public func structuralSimilarity(to other: Image) -> Double? {
    guard min(width, height) >= SSIM.windowSize else { return nil }
    return meanOverChannels(with: other) { SSIM.means($0, $1).ssim }
  }

  /// The structural similarity over five scales, at most 1.
  ///
  /// Wang et al. 2003, "Multi-scale structural similarity for image quality assessment", with the
  /// weights of its section 3.2; computed for red, green and blue, which are averaged. Between the
  /// scales the picture is halved by means of 2×2, odd sides padded with zeros, and negative
  /// similarities count as zero, all as pytorch-msssim does.
  ///
  /// - Precondition: both pictures have the same size.
  /// - Returns: The similarity; nil when a side is 160 pixels or shorter, too small for five scales.
  public func multiScaleStructuralSimilarity(to other: Image) -> Double? {
    guard min(width, height) > (SSIM.windowSize - 1) << (SSIM.scaleWeights.count - 1) else {
      return nil
    }
    return meanOverChannels(with: other) { first, second in
      var (first, second) = (first, second)
      var product = 1.0
      for (scale, weight) in SSIM.scaleWeights.enumerated() {
        if scale > 0 { (first, second) = (first.halved(), second.halved()) }
        let means = SSIM.means(first, second)
        let isLast = scale == SSIM.scaleWeights.count - 1
        product *= pow(max(0, isLast ? means.ssim : means.contrast), weight)
      }
      return product
    }
  }

  /// The mean of what `similarity` gives for red, green and blue, which are computed in parallel.
  private func meanOverChannels(
    with other: Image, _ similarity: (Plane, Plane) -> Double
  ) -> Double {
    let (own, others) = (planes(with: other), other.planes(with: self))
    let results = Mutex([0.0, 0, 0])
    ThreadPool.current.run(count: 3) { channel, _ in
      let result = similarity(own[channel], others[channel])
      results.withLock { $0[channel] = result }
    }
    return results.withLock { $0.reduce(0, +) } / 3
  }

  /// Red, green and blue, each for itself, 0…255.
  private func planes(with other: Image) -> [Plane] {
    precondition(
      width == other.width && height == other.height,
      "\(width)×\(height) compared with \(other.width)×\(other.height)")
    let samples = eightBit().converted(to: .rgb).eightBitSamples
    return (0..<3).map { channel in
      Plane(
        width: width, height: height,
        values: PixelLoops.channel(channel, of: samples, channelCount: 3))
    }
  }
}

/// The constants of the structural similarity, and its mean over one channel.
private enum SSIM {
  static let windowSize = 11
  /// How much each scale counts, the finest first.
  static let scaleWeights = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333]

  /// A Gaussian with σ = 1.5 whose sum is 1.
  static let window: [Float] = {
    let weights = (0..<windowSize).map { exp(-Double(($0 - 5) * ($0 - 5)) / (2 * 1.5 * 1.5)) }
    let sum = weights.reduce(0, +)
    return weights.map { Float($0 / sum) }
  }()

  /// The mean similarity, and that of contrast and structure alone.
  static func means(_ first: Plane, _ second: Plane) -> (ssim: Double, contrast: Double) {
    let statistics = [
      first, second, first.multiplied(by: first), second.multiplied(by: second),
      first.multiplied(by: second),
    ].map { $0.blurred(window) }
    return PixelLoops.structuralSimilarity(
      statistics.map(\.values), c1: 0.01 * 255 * 0.01 * 255, c2: 0.03 * 255 * 0.03 * 255)
  }
}
