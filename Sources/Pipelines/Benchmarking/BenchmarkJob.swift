import Foundation
import Images
import Layers
package import Models
package import Tensors

/// One way through one half of an autoencoder at one size, such as `sd-decode-512`.
package struct BenchmarkJob: Sendable {
  /// The architecture, if no model is given: `sd` or `taesd`.
  package let family: String
  /// Which half computes.
  package let half: AutoencoderHalves
  /// The height and width of the picture.
  package let size: Int

  /// A job from its name; nil if it names none.
  package init?(_ name: String) {
    let parts = name.split(separator: "-")
    guard parts.count == 3, let size = Int(parts[2]), (8...65536).contains(size),
      ["encode", "decode"].contains(parts[1])
    else { return nil }
    self.init(
      family: String(parts[0]), half: parts[1] == "encode" ? .encoder : .decoder, size: size)
  }

  package init(family: String, half: AutoencoderHalves, size: Int) {
    self.family = family
    self.half = half
    self.size = size
  }

  /// `sd-decode-512`.
  package var name: String { "\(family)-\(half == .encoder ? "encode" : "decode")-\(size)" }

  /// The architecture of ``family`` with random weights; nil if there is none of this name.
  package var randomModel: (any Autoencoder)? {
    var random = PhiloxRandomSource(seed: 0)
    switch family {
    case "sd":
      var model = AutoencoderKL(.stableDiffusion)
      model.randomize(using: &random)
      return model
    case "taesd":
      var model = AutoencoderTiny(AutoencoderTiny.Configuration())
      model.randomize(using: &random)
      return model
    default: return nil
    }
  }

  /// A picture or latent with random numbers, `[1, C, H, W]`.
  package func randomInput(for model: any Autoencoder) -> Tensor {
    var random = PhiloxRandomSource(seed: 1)
    let side = half == .encoder ? size : size / model.spatialFactor
    let shape: Shape = [1, half == .encoder ? 3 : model.latentChannels, side, side]
    guard half == .encoder else { return .randomNormal(shape: shape, using: &random) }
    return Tensor.randomUniform(shape: shape, using: &random).affine(scale: 2, offset: -1)
  }

  /// Computes the job once to warm up and then `repeats` times.
  ///
  /// The time includes reordering the input from and the output to `[N, C, H, W]`, so that it is
  /// that of others who hold tensors that way.
  ///
  /// - Throws: ``BenchmarkError`` if the input isn't of the job's shape.
  package func run(
    _ model: any Autoencoder, on input: Tensor, repeats: Int
  ) throws(BenchmarkError) -> (timing: Timing, output: Tensor) {
    let expected = randomInputShape(for: model)
    guard input.shape == expected else {
      throw .inputShape(job: name, expected: expected, found: input.shape)
    }
    var output = compute(model, input)
    let timing = Timing(repeats: repeats, warmsUp: false) { output = compute(model, input) }
    return (timing, output)
  }

  private func randomInputShape(for model: any Autoencoder) -> Shape {
    half == .encoder
      ? [1, 3, size, size]
      : [1, model.latentChannels, size / model.spatialFactor, size / model.spatialFactor]
  }

  private func compute(_ model: any Autoencoder, _ input: Tensor) -> Tensor {
    let x = input.channelsLast()
    return (half == .encoder ? model.encode(x).mode : model.decode(x)).channelsFirst()
  }
}

extension JobRow {
  /// What ``BenchmarkJob/run(_:on:repeats:)`` took, and the process's memory so far.
  package init(
    _ job: BenchmarkJob, _ model: any Autoencoder, named name: String, _ timing: Timing,
    loadTime: Duration
  ) {
    self.init(
      job: job.name, model: name, timing, loadTime: loadTime, pixels: job.size * job.size,
      operations: model.operationCount(of: job.half, height: job.size, width: job.size))
  }

  /// What something with so many pixels and operations took, and the process's memory so far.
  package init(
    job: String, model: String, _ timing: Timing, loadTime: Duration, pixels: Int, operations: Int
  ) {
    self.init(
      job: job, model: model, isa: InstructionSet.current.rawValue,
      threads: ThreadPool.current.threadCount, loadMs: loadTime / .milliseconds(1),
      medianMs: timing.median, minMs: timing.minimum, maxMs: timing.maximum, runsMs: timing.runs,
      cpuMs: timing.processorTime, msPerMegapixel: timing.median * 1e6 / Double(pixels),
      gflops: Double(operations) / timing.median / 1e6,
      peakMb: PeakMemory.byteCount.map { Double($0) / 1e6 })
  }
}

extension AutoencoderKL.Configuration {
  /// The sizes of Stable Diffusion's autoencoder.
  package static var stableDiffusion: AutoencoderKL.Configuration {
    var configuration = AutoencoderKL.Configuration()
    configuration.blockOutChannels = [128, 256, 512, 512]
    configuration.downBlockTypes = [String](repeating: "DownEncoderBlock2D", count: 4)
    configuration.upBlockTypes = [String](repeating: "UpDecoderBlock2D", count: 4)
    configuration.layersPerBlock = 2
    configuration.sampleSize = 512
    return configuration
  }
}

/// What a benchmark can't run with.
package enum BenchmarkError: Error, Hashable, CustomStringConvertible {
  /// There is no architecture of this name.
  case unknownFamily(String)
  /// The input isn't of the job's shape.
  case inputShape(job: String, expected: Shape, found: Shape)
  /// The picture's size isn't one that the model takes.
  case size(Int, factor: Int)
  /// The denoiser takes labels.
  case needsLabels(job: String)
  /// The model that is given is no denoiser.
  case noDenoiser(job: String)

  package var description: String {
    switch self {
    case .unknownFamily(let name):
      "there is no built-in architecture \(name); use sd or taesd, or name a --model"
    case .inputShape(let job, let expected, let found):
      "the input of \(job) has the shape \(found), and the job needs \(expected)"
    case .size(let size, let factor):
      "pictures of \(size)×\(size) don't divide by the model's factor \(factor)"
    case .needsLabels(let job):
      "\(job) is for a network without classes; name another --model"
    case .noDenoiser(let job):
      "\(job) is for a UNet2DModel; name the folder of one as --model"
    }
  }
}
