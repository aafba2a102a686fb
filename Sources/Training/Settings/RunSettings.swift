public import Layers

/// `train`: how long a run is, and what is kept of it.
public struct RunSettings: Hashable, Sendable {
  /// `steps`: how many steps are made.
  public var steps = 20_000
  /// `seed`: fixes the first parameters, the batches and the noise.
  public var seed: UInt64 = 0
  /// `threads`: how many threads compute; 0 for one each processor.
  ///
  /// Results don't depend on it.
  public var threads = 0
  /// `log_every`: steps from one line of the log to the next.
  public var logEvery = 20
  /// `validate_every`: steps between validations; 0 for none.
  public var validateEvery = 500
  /// `checkpoint_every`: steps between checkpoints.
  public var checkpointEvery = 500
  /// `keep_checkpoints`: how many of the last checkpoints are kept.
  public var keepCheckpoints = 2
  /// `sample_every`: steps between pictures of reconstructions; 0 for none.
  public var sampleEvery = 500
  /// `sample_count`: how many pictures these show.
  public var sampleCount = 8
  /// `frozen`: names of parameters that stay as they are, where `*` stands for any letters:
  /// `encoder.*`.
  public var frozen: [String] = []
  /// `decoder_only`: whether the encoder stays as it is, so that its latents stay valid.
  public var decoderOnly = false
  /// `activation_checkpointing`: whether activations are computed again for gradients, and not
  /// kept.
  ///
  /// Less memory, about a third more time; Chen et al. 2016, arXiv:1604.06174.
  public var activationCheckpointing = false

  /// The defaults.
  public init() {}

  /// Whether a parameter stays as it is: one of ``frozen`` fits its name, or ``decoderOnly`` is on
  /// and it belongs to the encoder.
  public func isFrozen(_ path: ParameterPath) -> Bool {
    let name = path.description
    let isOfEncoder = name.hasPrefix("encoder.") || name.hasPrefix("quant_conv.")
    return decoderOnly && isOfEncoder || frozen.contains { Self.fits(name[...], $0[...]) }
  }

  private static func fits(_ name: Substring, _ pattern: Substring) -> Bool {
    guard let first = pattern.first else { return name.isEmpty }
    let rest = pattern.dropFirst()
    if first == "*" {
      return fits(name, rest) || (!name.isEmpty && fits(name.dropFirst(), pattern))
    }
    return name.first == first && fits(name.dropFirst(), rest)
  }
}

extension RunSettings {
  /// The paths of those that don't change what a step computes.
  static let changeable: Set = [
    "train.steps", "train.threads", "train.log_every", "train.validate_every",
    "train.sample_every", "train.sample_count", "train.checkpoint_every", "train.keep_checkpoints",
  ]
}

extension RunSettings: SettingsGroup {
  mutating func visit(_ fields: inout SettingsFields) throws(TrainingSettingsError) {
    try visitShared(&fields)
    try fields.boolean("decoder_only", &decoderOnly)
    try fields.boolean("activation_checkpointing", &activationCheckpointing)
  }

  /// Shows the fields that runs of all kinds have.
  mutating func visitShared(_ fields: inout SettingsFields) throws(TrainingSettingsError) {
    try fields.integer("steps", &steps, in: 1...1_000_000_000)
    try fields.integer("seed", &seed, in: 0...UInt64.max)
    try fields.integer("threads", &threads, in: 0...1024)
    try fields.integer("log_every", &logEvery, in: 1...Int.max)
    try fields.integer("validate_every", &validateEvery, in: 0...Int.max)
    try fields.integer("checkpoint_every", &checkpointEvery, in: 1...Int.max)
    try fields.integer("keep_checkpoints", &keepCheckpoints, in: 1...1000)
    try fields.integer("sample_every", &sampleEvery, in: 0...Int.max)
    try fields.integer("sample_count", &sampleCount, in: 1...1024)
    try fields.strings("frozen", &frozen)
  }
}
