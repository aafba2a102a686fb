import Layers
public import Models
public import Pipelines
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
  try model.randomize(seed: seed)
  return PretrainedAutoencoder(name: "tiny-kl", autoencoder: model)
}

/// An `AutoencoderTiny` of 4 channels and a factor of 4, which has no posterior.
public func tinyAutoencoderTiny(seed: UInt64 = 1) throws -> PretrainedAutoencoder {
  var configuration = AutoencoderTiny.Configuration()
  configuration.encoderBlockOutChannels = [8, 8, 8]
  configuration.decoderBlockOutChannels = [8, 8, 8]
  configuration.numEncoderBlocks = [1, 1, 1]
  configuration.numDecoderBlocks = [1, 1, 1]
  var model = AutoencoderTiny(configuration)
  try model.randomize(seed: seed)
  return PretrainedAutoencoder(name: "tiny-taesd", autoencoder: model)
}

extension ParameterContainer {
  /// Gives each parameter random numbers of a size that keeps signals about 1.
  fileprivate mutating func randomize(seed: UInt64) throws {
    var filler = RandomFiller(random: PhiloxRandomSource(seed: seed))
    try visitParameters(at: .root, with: &filler)
  }
}

private struct RandomFiller: ParameterVisitor {
  var random: PhiloxRandomSource

  mutating func visit(_ parameter: inout Tensor, at path: ParameterPath, layout: ParameterLayout) {
    let shape = parameter.shape
    let isMatrix = shape.rank > 1
    let isScale = !isMatrix && path.description.hasSuffix("weight")
    let inputs = shape.scalarCount / shape[shape.rank - 1]
    let size = isMatrix ? (1 / Float(inputs)).squareRoot() : 0.1
    let values = random.normals(count: shape.scalarCount).map { size * $0 + (isScale ? 1 : 0) }
    parameter = Tensor(values, shape: shape)
  }
}
