package import Layers
package import Models
package import Tensors

/// One estimate of a denoiser, or one step of its training: `unet-32-b8`, `train-unet-32-b32`.
package struct DenoiserBenchmarkJob: Sendable {
  /// Whether a gradient is computed, and the parameters are updated.
  package let isTraining: Bool
  /// The height and width of the latents.
  package let size: Int
  /// How many latents.
  package let batch: Int

  /// A job from its name; nil if it names none.
  package init?(_ name: String) {
    var parts = name.split(separator: "-")
    isTraining = parts.first == "train"
    if isTraining { parts.removeFirst() }
    guard parts.count == 3, parts[0] == "unet", parts[2].hasPrefix("b"),
      let size = Int(parts[1]), (1...1024).contains(size),
      let batch = Int(parts[2].dropFirst()), (1...1024).contains(batch)
    else { return nil }
    (self.size, self.batch) = (size, batch)
  }

  /// `unet-32-b8`.
  package var name: String { "\(isTraining ? "train-" : "")unet-\(size)-b\(batch)" }

  /// A network of 10.7 million parameters for latents of 4 channels, with random weights.
  package static var randomModel: UNet2DModel {
    var configuration = UNet2DModel.Configuration()
    configuration.inChannels = 4
    configuration.outChannels = 4
    configuration.blockOutChannels = [64, 128, 192]
    configuration.downBlockTypes = ["DownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D"]
    configuration.upBlockTypes = ["AttnUpBlock2D", "AttnUpBlock2D", "UpBlock2D"]
    configuration.sampleSize = [32]
    var model = UNet2DModel(configuration)
    var random = PhiloxRandomSource(seed: 0)
    model.randomize(using: &random)
    return model
  }

  /// Latents with random numbers, `[N, C, H, W]`.
  package func randomInput(for model: UNet2DModel) -> Tensor {
    var random = PhiloxRandomSource(seed: 1)
    return .randomNormal(shape: [batch, model.inputChannels, size, size], using: &random)
  }

  /// Computes the job once to warm up and then `repeats` times, with the timesteps 7, 107 and so on.
  ///
  /// - Parameters:
  ///   - model: A network without labels, which training changes.
  ///   - input: `[N, C, H, W]`; training estimates it from itself.
  ///   - repeats: How often.
  ///   - update: Makes a step of training along a gradient.
  /// - Returns: The times; the estimate, or the losses before the steps.
  /// - Throws: ``BenchmarkError`` if the model or the input isn't the job's.
  package func run(
    _ model: inout UNet2DModel, on input: Tensor, repeats: Int,
    update: (inout UNet2DModel, Gradient) -> Void
  ) throws(BenchmarkError) -> (timing: Timing, output: Tensor) {
    let expected: Shape = [batch, model.inputChannels, size, size]
    guard input.shape == expected else {
      throw .inputShape(job: name, expected: expected, found: input.shape)
    }
    guard size % model.spatialFactor == 0 else {
      throw .size(size, factor: model.spatialFactor)
    }
    guard model.labelCount == nil else { throw .needsLabels(job: name) }
    let timesteps = (0..<batch).map { Float($0 % 10 * 100 + 7) }
    var output = Tensor(zeros: [1])
    var losses: [Float] = []
    let timing = Timing(repeats: repeats) {
      let x = input.channelsLast()
      guard isTraining else {
        output = model(x, timesteps: timesteps).channelsFirst()
        return
      }
      let (loss, gradient) = valueWithGradient(at: model) {
        ($0(x, timesteps: timesteps) - x).squared().mean()
      }
      update(&model, gradient)
      losses += loss.scalars
    }
    return (timing, isTraining ? Tensor(losses, shape: [losses.count]) : output)
  }
}

extension JobRow {
  /// What a ``DenoiserBenchmarkJob`` took, and the process's memory so far.
  package init(
    _ job: DenoiserBenchmarkJob, _ model: UNet2DModel, named name: String, _ timing: Timing,
    loadTime: Duration
  ) {
    // A gradient takes twice what the estimate does.
    let factor = job.batch * (job.isTraining ? 3 : 1)
    let operations = factor * model.operationCount(height: job.size, width: job.size)
    self.init(
      job: job.name, model: name, timing, loadTime: loadTime,
      pixels: job.batch * job.size * job.size, operations: operations)
  }
}
