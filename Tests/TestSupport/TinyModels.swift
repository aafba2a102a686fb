import Layers
public import Models
public import Pipelines
import Schedulers
import Tensors

/// An `AutoencoderKL` of 4 channels and a factor of 4 that computes in milliseconds; its weights
/// are random, so its pictures mean nothing.
public func tinyAutoencoderKL(
  seed: UInt64 = 1, configure: (inout AutoencoderKL.Configuration) -> Void = { _ in }
) throws -> PretrainedAutoencoder {
  var configuration = AutoencoderKL.Configuration()
  configuration.blockOutChannels = [4, 8, 8]
  configuration.downBlockTypes = [String](repeating: "DownEncoderBlock2D", count: 3)
  configuration.upBlockTypes = [String](repeating: "UpDecoderBlock2D", count: 3)
  configuration.normNumGroups = 2
  configure(&configuration)
  var model = AutoencoderKL(configuration)
  var random = PhiloxRandomSource(seed: seed)
  model.randomize(using: &random)
  return PretrainedAutoencoder(name: "tiny-kl", autoencoder: model)
}

/// The same with an infinite number among its weights.
public func brokenAutoencoderKL() throws -> PretrainedAutoencoder {
  var model = AutoencoderKL(AutoencoderKL.Configuration())
  if let tiny = try tinyAutoencoderKL().autoencoder as? AutoencoderKL { model = tiny }
  model.quantConv?.bias = Tensor(repeating: .infinity, shape: [8])
  return PretrainedAutoencoder(name: "broken", autoencoder: model)
}

/// An `AutoencoderTiny` of 4 channels and a factor of 4, which has no posterior.
public func tinyAutoencoderTiny(seed: UInt64 = 1) throws -> PretrainedAutoencoder {
  var configuration = AutoencoderTiny.Configuration()
  configuration.encoderBlockOutChannels = [8, 8, 8]
  configuration.decoderBlockOutChannels = [8, 8, 8]
  configuration.numEncoderBlocks = [1, 1, 1]
  configuration.numDecoderBlocks = [1, 1, 1]
  var model = AutoencoderTiny(configuration)
  var random = PhiloxRandomSource(seed: seed)
  model.randomize(using: &random)
  return PretrainedAutoencoder(name: "tiny-taesd", autoencoder: model)
}

/// A `UNet2DModel` for latents of 4 channels that computes in milliseconds; its weights are random.
public func tinyUNet(
  seed: UInt64 = 1, configure: (inout UNet2DModel.Configuration) -> Void = { _ in }
) -> UNet2DModel {
  var configuration = UNet2DModel.Configuration()
  configuration.inChannels = 4
  configuration.outChannels = 4
  configuration.blockOutChannels = [8, 16]
  configuration.downBlockTypes = ["DownBlock2D", "AttnDownBlock2D"]
  configuration.upBlockTypes = ["AttnUpBlock2D", "UpBlock2D"]
  configuration.layersPerBlock = 1
  configuration.normNumGroups = 4
  configure(&configuration)
  var model = UNet2DModel(configuration)
  var random = PhiloxRandomSource(seed: seed)
  model.randomize(using: &random)
  return model
}

/// The two together, with classes: pictures of 32×24 pixels if no other size is asked for.
public func tinyDiffusionModel(
  classNames: [String] = ["cat", "dog"],
  configure: (inout UNet2DModel.Configuration) -> Void = { _ in }
) throws -> LatentDiffusionModel {
  let denoiser = tinyUNet {
    $0.sampleSize = [6, 8]
    $0.numClassEmbeds = classNames.isEmpty ? nil : classNames.count + 1
    configure(&$0)
  }
  return try LatentDiffusionModel(
    autoencoder: tinyAutoencoderKL(), denoiser: denoiser,
    scheduler: SchedulerConfiguration(.dpmSolverMultistep), classNames: classNames)
}
