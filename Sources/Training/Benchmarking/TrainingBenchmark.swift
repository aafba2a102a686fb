import Foundation
import Layers
package import Models
package import Pipelines
package import Tensors

/// Steps of training an `AutoencoderKL`, such as `train-kl-64-b16`: squares of 64×64, 16 a batch.
///
/// A step is what `lvae train` does for a batch: mean (y − x)² + 10⁻⁶ · KL a sample, with
/// z = μ + σε; its gradient; AdamW with a rate of 10⁻⁴ and no decay.
package struct TrainingBenchmark: Sendable {
  /// The side of the squares.
  package let size: Int
  /// Squares in a batch.
  package let batchSize: Int

  /// A job from its name; nil if it names none.
  package init?(_ name: String) {
    let parts = name.split(separator: "-")
    guard parts.count == 4, parts[0] == "train", parts[1] == "kl", let size = Int(parts[2]),
      (8...1024).contains(size), parts[3].hasPrefix("b"), let batchSize = Int(parts[3].dropFirst()),
      (1...1024).contains(batchSize)
    else { return nil }
    self.size = size
    self.batchSize = batchSize
  }

  /// `train-kl-64-b16`.
  package var name: String { "train-kl-\(size)-b\(batchSize)" }

  /// An autoencoder with three resolutions of 64, 128 and 128 channels, and random weights.
  package static var randomModel: AutoencoderKL {
    let channels = [64, 128, 128]
    var configuration = AutoencoderKL.Configuration()
    configuration.blockOutChannels = channels
    configuration.downBlockTypes = channels.map { _ in "DownEncoderBlock2D" }
    configuration.upBlockTypes = channels.map { _ in "UpDecoderBlock2D" }
    configuration.layersPerBlock = 1
    var random = PhiloxRandomSource(seed: 0)
    var model = AutoencoderKL(configuration)
    model.initialize(using: &random)
    return model
  }

  /// A batch `[N, 3, H, W]` in −1…1, and the noise ε for its latents, `[N, C, h, w]`.
  package func randomInput(for model: any Autoencoder) -> (batch: Tensor, noise: Tensor) {
    var random = PhiloxRandomSource(seed: 1)
    let side = size / model.spatialFactor
    let batch = Tensor.randomUniform(shape: [batchSize, 3, size, size], using: &random)
    return (
      batch.affine(scale: 2, offset: -1),
      .randomNormal(shape: [batchSize, model.latentChannels, side, side], using: &random)
    )
  }

  /// Makes a step to warm up and then `repeats` steps, all with the same batch.
  ///
  /// - Returns: the times of the steps, and the loss before each of them and the first.
  /// - Throws: ``BenchmarkError`` if batch or noise aren't of the job's shapes.
  package func run<Model: Autoencoder>(
    _ model: Model, batch: Tensor, noise: Tensor, repeats: Int
  ) throws(BenchmarkError) -> (timing: Timing, losses: Tensor) {
    let side = size / model.spatialFactor
    try check(batch, hasShape: [batchSize, 3, size, size])
    try check(noise, hasShape: [batchSize, model.latentChannels, side, side])
    let (pictures, noise) = (batch.channelsLast(), noise.channelsLast())
    var (model, optimizer) = (model, AdamW(Self.optimizer))
    var losses: [Float] = []
    let timing = Timing(repeats: repeats) {
      let (loss, gradient) = valueWithGradient(at: model) {
        Self.loss(of: pictures, noise: noise, with: $0)
      }
      optimizer.update(&model, learningRate: 1e-4) { gradient[$0] }
      losses += loss.scalars
    }
    return (timing, Tensor(losses, shape: [losses.count]))
  }

  private func check(_ tensor: Tensor, hasShape expected: Shape) throws(BenchmarkError) {
    guard tensor.shape == expected else {
      throw .inputShape(job: name, expected: expected, found: tensor.shape)
    }
  }

  private static var optimizer: AdamW.Settings {
    var settings = AdamW.Settings()
    settings.weightDecay = 0
    return settings
  }

  private static func loss(
    of pictures: Tensor, noise: Tensor, with model: some Autoencoder
  ) -> Tensor {
    let posterior = model.encode(pictures)
    let difference = model.decode(posterior.sample(noise: noise)) - pictures
    let samples = Float(pictures.shape.scalarCount / pictures.shape[0])
    return difference.squared().mean() + posterior.klPerChannel().sum() * (1e-6 / samples)
  }
}

extension JobRow {
  /// What ``TrainingBenchmark/run(_:batch:noise:repeats:)`` took, and the process's memory so far.
  ///
  /// The backward pass counts as twice the forward pass.
  package init(
    _ job: TrainingBenchmark, _ model: any Autoencoder, named name: String, _ timing: Timing,
    loadTime: Duration
  ) {
    let operations = [AutoencoderHalves.encoder, .decoder].reduce(0) {
      $0 + model.operationCount(of: $1, height: job.size, width: job.size)
    }
    self.init(
      job: job.name, model: name, timing, loadTime: loadTime,
      pixels: job.size * job.size * job.batchSize, operations: 3 * operations * job.batchSize)
  }
}
