public import Models

extension LatentStatistics {
  /// The mean of z over all channels.
  public var overallMean: Double {
    channels.reduce(0) { $0 + $1.mean } / Double(max(1, channels.count))
  }

  /// The standard deviation of z, whatever its channel, around ``overallMean``.
  public var overallStandardDeviation: Double {
    let squares = channels.map { $0.mean * $0.mean + $0.standardDeviation * $0.standardDeviation }
    let square = squares.reduce(0, +) / Double(max(1, squares.count))
    return max(0, square - overallMean * overallMean).squareRoot()
  }

  /// What brings latents to mean 0 and variance 1.
  ///
  /// The factor is 1/std over all channels (Rombach et al. 2021, arXiv:2112.10752, appendix G) and
  /// the shift their mean, for readers that know only these two. Channels have means of their own,
  /// and standard deviations relative to that of all, so that (z − meanᶜ) · factor / stdᶜ, which is
  /// how diffusers uses them together, has variance 1 in each channel.
  public var scaling: LatentScaling {
    let all = overallStandardDeviation
    guard all > 0, all.isFinite else { return LatentScaling() }
    return LatentScaling(
      factor: Float(1 / all), shift: Float(overallMean), mean: channels.map { Float($0.mean) },
      // A channel that never varies stays as it is.
      standardDeviation: channels.map {
        $0.standardDeviation > 1e-6 * all ? Float($0.standardDeviation / all) : 1
      })
  }
}
