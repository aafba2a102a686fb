public import Tensors

/// How far reconstructions y are from pictures x, sample by sample; d = y − x.
///
/// Each is a mean over all samples of the batch, a scalar. Gradients pass to both.
public enum ReconstructionLosses {
  /// Mean d²: up to factors, the negative logarithm of a normal density with a fixed σ.
  public static func meanSquared(_ y: Tensor, _ x: Tensor) -> Tensor {
    (y - x).squared().mean()
  }

  /// Mean |d|: up to factors, the negative logarithm of Laplace's density with a fixed scale.
  public static func meanAbsolute(_ y: Tensor, _ x: Tensor) -> Tensor {
    (y - x).absolute().mean()
  }

  /// Mean of ½d²/δ where |d| < δ, else of |d| − ½δ; PyTorch's `smooth_l1_loss` with `beta` = δ.
  ///
  /// Huber 1964, "Robust estimation of a location parameter", divided by δ.
  ///
  /// - Precondition: δ is above 0.
  public static func huber(_ y: Tensor, _ x: Tensor, delta: Double) -> Tensor {
    precondition(delta > 0, "a Huber loss with δ = \(delta)")
    // With c = min(|d|, δ) both cases are c(|d| − c/2)/δ.
    let distance = (y - x).absolute()
    let near = distance.clamped(to: 0...Float(delta))
    return (near * (distance - near * 0.5)).mean() / Float(delta)
  }

  /// −ln N(x; y, σ²) a sample, in nats: mean d²/(2σ²) + ln σ + ½ ln 2π.
  ///
  /// Rybkin et al. 2021, "Simple and effective VAE training with calibrated decoders",
  /// arXiv:2006.13202, section 3. Its least value over σ is where σ² is the mean d².
  ///
  /// - Parameters:
  ///   - y: reconstructions.
  ///   - x: pictures, of the same shape.
  ///   - logScale: ln σ, one number.
  /// - Returns: a scalar.
  public static func gaussian(_ y: Tensor, _ x: Tensor, logScale: Tensor) -> Tensor {
    let logScale = logScale.reshaped(to: [])
    return meanSquared(y, x) * logScale.exp(scale: -2) * 0.5 + logScale + Float(halfLogTwoPi)
  }

  /// −ln Laplace(x; y, b) a sample, in nats: mean |d|/b + ln 2b.
  ///
  /// Its least value over b is where b is the mean |d|.
  ///
  /// - Parameters:
  ///   - y: reconstructions.
  ///   - x: pictures, of the same shape.
  ///   - logScale: ln b, one number.
  /// - Returns: a scalar.
  public static func laplace(_ y: Tensor, _ x: Tensor, logScale: Tensor) -> Tensor {
    let logScale = logScale.reshaped(to: [])
    return meanAbsolute(y, x) * logScale.exp(scale: -1) + logScale + Float(logTwo)
  }
}

/// The number ½ ln 2π.
let halfLogTwoPi = 0.918938533204672742
/// The number ln 2.
let logTwo = 0.693147180559945309
