extension PredictionType {
  /// The weight of a timestep's loss that keeps small noise from ruling the training.
  ///
  /// Hang et al. 2023, "Efficient Diffusion Training via Min-SNR Weighting Strategy",
  /// arXiv:2303.09556: the error of x₀ weighs min(SNR, γ), and that of what the denoiser says so
  /// much less as x₀ depends less on it: min(SNR, γ)/SNR for ε, min(SNR, γ)/(SNR + 1) for v,
  /// min(SNR, γ) for x₀.
  ///
  /// - Parameters:
  ///   - level: that of the timestep, with some noise.
  ///   - gamma: γ; 5 is the paper's.
  /// - Returns: what the mean square error of the output is multiplied with.
  public func minSNRWeight(at level: NoiseLevel, gamma: Double = 5) -> Double {
    let snr = level.snr
    // ε: min(SNR, γ)/SNR, which is 1 where there is no signal.
    if self == .epsilon { return snr <= gamma ? 1 : gamma / snr }
    let factor = originalFactors(at: level).output
    return min(snr, gamma) * factor * factor
  }
}
