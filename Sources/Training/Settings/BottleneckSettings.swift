/// `bottleneck`: what stands between encoder and decoder.
public struct BottleneckSettings: Hashable, Sendable {
  /// What kind of latent there is.
  public enum Kind: String, CaseIterable, Hashable, Sendable {
    /// `kl`: a normal distribution for each number, from which a sample is decoded; Kingma and
    /// Welling 2013, arXiv:1312.6114.
    case kl
    /// `vq`: the nearest of a book of vectors; van den Oord et al. 2017, arXiv:1711.00937.
    case vq
    /// `fsq`: each number rounded to one of a few levels; Mentzer et al. 2023, arXiv:2309.15505.
    case fsq
  }

  /// How the book of `vq` learns.
  public enum CodebookUpdate: String, CaseIterable, Hashable, Sendable {
    /// `ema`: each vector is the running mean of what it was the nearest of; van den Oord et al. 2017,
    /// appendix A.1.
    case ema
    /// `loss`: by the gradient of mean((sg[z] − e)²), equation 3 there.
    case loss
  }

  /// `kind`: what kind of latent there is.
  public var kind = Kind.kl
  /// `codebook_size`: how many vectors the book of `vq` has.
  public var codebookSize = 1024
  /// `commitment_weight`: β of `vq` in β·mean((z − sg[e])²), which keeps the encoder near the book.
  public var commitmentWeight = 0.25
  /// `codebook_update`: how the book of `vq` learns.
  public var codebookUpdate = CodebookUpdate.ema
  /// `codebook_decay`: how much of the running means that the book of `vq` consists of is kept at a
  /// step.
  public var codebookDecay = 0.99
  /// `codebook_reset_steps`: after how many steps without use a vector of `vq` is replaced by one of
  /// the encoder's; 0 for never.
  ///
  /// Dhariwal et al. 2020, "Jukebox", arXiv:2005.00341, section 3.
  public var codebookResetSteps = 100
  /// `fsq_levels`: the levels of each channel of `fsq`; their product is the number of codes.
  public var fsqLevels = [8, 8, 8, 5]

  /// The defaults.
  public init() {}
}

extension BottleneckSettings: SettingsGroup {
  mutating func visit(_ fields: inout SettingsFields) throws(TrainingSettingsError) {
    try fields.choice("kind", &kind)
    try fields.integer("codebook_size", &codebookSize, in: 2...1 << 20)
    try fields.number("commitment_weight", &commitmentWeight, .atLeast(0))
    try fields.choice("codebook_update", &codebookUpdate)
    try fields.number("codebook_decay", &codebookDecay, .fraction)
    try fields.integer("codebook_reset_steps", &codebookResetSteps, in: 0...Int.max)
    try fields.integers("fsq_levels", &fsqLevels, in: 2...256, count: 1...64)
  }
}
