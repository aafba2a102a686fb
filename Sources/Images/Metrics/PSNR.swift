import Foundation

extension Image {
  /// The mean squared error over red, green and blue, in 8 bits.
  ///
  /// Opacity is left out, grey is repeated, and 16-bit samples are rounded to 8.
  ///
  /// - Precondition: both pictures have the same size.
  public func meanSquaredError(to other: Image) -> Double {
    precondition(
      width == other.width && height == other.height,
      "\(width)×\(height) compared with \(other.width)×\(other.height)")
    let squares = PixelLoops.sumOfSquaredDifferences(
      eightBit().converted(to: .rgb).eightBitSamples,
      other.eightBit().converted(to: .rgb).eightBitSamples)
    return Double(squares) / Double(pixelCount * 3)
  }

  /// The peak signal-to-noise ratio over red, green and blue in decibels: `10·log₁₀(255² / MSE)`;
  /// infinite for equal pictures.
  ///
  /// - Precondition: both pictures have the same size.
  public func peakSignalToNoiseRatio(to other: Image) -> Double {
    10 * log10(255 * 255 / meanSquaredError(to: other))
  }
}
