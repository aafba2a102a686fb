import Layers
import Tensors

/// Trains the discriminator of an adversarial objective beside the autoencoder.
struct DiscriminatorTrainer: Sendable {
  /// What it has learned so far.
  private(set) var discriminator: PatchDiscriminator
  private var optimizer: AdamW
  private let learningRate: Double

  /// A discriminator before its first step; nil if the objective has none.
  init?(_ settings: ObjectiveSettings, using source: inout some RandomSource) {
    guard settings.adversarialWeight > 0 else { return nil }
    discriminator = PatchDiscriminator(settings, using: &source)
    var adamW = AdamW.Settings()
    // As VQGAN: a memory of some steps only, since what is to be told apart changes.
    (adamW.beta1, adamW.beta2, adamW.weightDecay) = (0.5, 0.9, 0)
    optimizer = AdamW(adamW)
    learningRate = settings.discriminatorLearningRate
  }

  /// Makes one step with the pictures of an autoencoder's step and what it made of them.
  ///
  /// - Parameter batches: pictures and reconstructions, in −1…1, not recorded.
  /// - Returns: the discriminator's loss, the mean over the batches.
  /// - Throws: the name of the parameter whose gradient isn't finite.
  mutating func makeStep(_ batches: [(real: Tensor, fake: Tensor)]) throws(NotFinite) -> Double {
    var (sum, loss) = (Gradient(), 0.0)
    for (real, fake) in batches {
      let (value, gradient) = valueWithGradient(at: discriminator) { discriminator in
        AdversarialLosses.discriminator(real: discriminator(real), fake: discriminator(fake))
      }
      sum += gradient
      loss += Double(value.span[0]) / Double(batches.count)
    }
    let gradient = sum
    if let bad = gradient.paths.first(where: { gradient[$0]?.isFinite == false }) {
      throw NotFinite(path: bad)
    }
    optimizer.update(
      &discriminator, learningRate: learningRate, gradientScale: 1 / Double(batches.count)
    ) { gradient[$0] }
    return loss
  }

  /// A gradient isn't finite.
  struct NotFinite: Error {
    let path: ParameterPath
  }

  private static let part = "discriminator"
  private static let optimizerPart = "discriminator_adamw"

  func add(to checkpoint: inout TrainingCheckpoint) {
    checkpoint.add(discriminator, as: Self.part)
    checkpoint.add(optimizer, as: Self.optimizerPart)
  }

  mutating func restore(from checkpoint: TrainingCheckpoint) throws {
    try checkpoint.restore(&discriminator, from: Self.part)
    try checkpoint.restore(&optimizer, from: Self.optimizerPart)
  }
}
