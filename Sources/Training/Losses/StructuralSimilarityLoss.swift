import Glibc
public import Tensors

/// 1 − SSIM and 1 − MS-SSIM of reconstructions, as losses.
///
/// As pytorch-msssim 1.0.0 with `data_range=2`: Gaussian windows of 11 × 11 with σ = 1.5 that lie
/// inside, K₁ = 0.01, K₂ = 0.03. What `Image.structuralSimilarity(to:)` measures in 8 bits.
public enum StructuralSimilarityLoss {
  /// The shortest side of a picture that ``ssim(_:_:)`` takes.
  public static let leastSide = windowSize
  /// The shortest side of a picture that ``multiScale(_:_:)`` takes.
  public static let leastSideOverScales = ((windowSize - 1) << (scaleWeights.count - 1)) + 1

  /// 1 − SSIM, the mean over windows, channels and pictures: a scalar.
  ///
  /// Wang et al. 2004, "Image quality assessment: from error visibility to structural similarity".
  ///
  /// - Parameters:
  ///   - y: reconstructions, `[N, H, W, C]` in −1…1.
  ///   - x: pictures.
  /// - Returns: a scalar.
  /// - Precondition: the shapes agree, and no side is shorter than ``leastSide``.
  public static func ssim(_ y: Tensor, _ x: Tensor) -> Tensor {
    1 - means(y, x).similarity.mean()
  }

  /// 1 − MS-SSIM over five scales, the mean over channels and pictures: a scalar.
  ///
  /// Wang et al. 2003, "Multi-scale structural similarity for image quality assessment", with the
  /// weights of its section 3.2. A scale's mean similarity counts as at least 10⁻⁶, so that it has a
  /// gradient (pytorch-msssim counts negative ones as 0).
  ///
  /// - Parameters:
  ///   - y: reconstructions, `[N, H, W, C]` in −1…1.
  ///   - x: pictures.
  /// - Returns: a scalar.
  /// - Precondition: the shapes agree, and no side is shorter than ``leastSideOverScales``.
  public static func multiScale(_ y: Tensor, _ x: Tensor) -> Tensor {
    precondition(
      min(x.shape[1], x.shape[2]) >= leastSideOverScales,
      "\(x.shape) is too small for five scales, which take \(leastSideOverScales) pixels a side")
    var (y, x) = (y, x)
    var logarithm: Tensor?
    for (scale, weight) in scaleWeights.enumerated() {
      if scale > 0 { (y, x) = (halved(y), halved(x)) }
      let (similarity, contrast) = means(y, x)
      let mean = scale == scaleWeights.count - 1 ? similarity : contrast
      let term = mean.clamped(to: 1e-6...2).log() * Float(weight)
      logarithm = logarithm.map { $0 + term } ?? term
    }
    // The product of the means, each to the power of its weight.
    return 1 - (logarithm ?? Tensor(zeros: [1])).exp().mean()
  }

  private static let windowSize = 11
  /// How much each scale counts, the finest first.
  private static let scaleWeights = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333]

  /// A Gaussian with σ = 1.5 whose sum is 1.
  private static let window: [Float] = {
    let weights = (0..<windowSize).map { exp(-Double(($0 - 5) * ($0 - 5)) / (2 * 1.5 * 1.5)) }
    let sum = weights.reduce(0, +)
    return weights.map { Float($0 / sum) }
  }()

  /// The mean similarity of each channel of each picture, and that of contrast and structure alone:
  /// `[N, 1, 1, C]`.
  private static func means(_ y: Tensor, _ x: Tensor) -> (similarity: Tensor, contrast: Tensor) {
    precondition(x.shape == y.shape, "\(x.shape) reconstructed as \(y.shape)")
    let (c1, c2) = (Float(0.02 * 0.02), Float(0.06 * 0.06))  // (K · range)²
    let (meanY, meanX) = (blurred(y), blurred(x))
    let (squareY, squareX, product) = (meanY.squared(), meanX.squared(), meanY * meanX)
    let variances = blurred(y.squared() + x.squared()) - squareY - squareX
    let covariance = blurred(y * x) - product
    let contrast = covariance.affine(scale: 2, offset: c2) / (variances + c2)
    let luminance = product.affine(scale: 2, offset: c1) / (squareY + squareX + c1)
    return ((luminance * contrast).mean(over: 1..<3), contrast.mean(over: 1..<3))
  }

  private static func blurred(_ x: Tensor) -> Tensor { x.filtered(separably: window) }

  /// Means of 2 × 2 pixels; an odd side begins with a row or column of zeros.
  private static func halved(_ x: Tensor) -> Tensor {
    let (height, width, channels) = (x.shape[1], x.shape[2], x.shape[3])
    if height % 2 == 0 && width % 2 == 0 { return x.averagePooled2x2() }
    var weights = [Float](repeating: 0, count: 4 * channels * channels)
    for tap in 0..<4 {
      for channel in 0..<channels {
        weights[(tap * channels + channel) * channels + channel] = 0.25
      }
    }
    return x.conv2d(
      Tensor(weights, shape: [2, 2, channels, channels]), stride: 2,
      padding: ConvolutionPadding(top: height % 2, left: width % 2, bottom: 0, right: 0))
  }
}

private func - (offset: Float, x: Tensor) -> Tensor { x.affine(scale: -1, offset: offset) }
