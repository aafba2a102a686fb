import Foundation
import Layers
import Models
import Tensors
import TestSupport
import Testing

/// Networks with every feature, with random weights that keep numbers near 1.
func compactModels() -> [AutoencoderCompact] {
  var three = smallConfiguration()
  three.patchSize = 1
  three.encoderBlockOutChannels = [6, 8, 10]
  three.decoderBlockOutChannels = [10, 8, 6]
  three.encoderLayers = [0, 1, 1]
  three.decoderLayers = [1, 0, 1]
  three.doubleZ = true
  var plain = smallConfiguration()
  plain.linearShortcut = false
  var flat = smallConfiguration()
  flat.patchSize = 4
  flat.encoderBlockOutChannels = [12]
  flat.decoderBlockOutChannels = [12]
  flat.encoderLayers = [1]
  flat.decoderLayers = [1]
  return [smallConfiguration(), three, plain, flat].map { filled(AutoencoderCompact($0)) }
}

/// A factor of 4.
private func smallConfiguration() -> AutoencoderCompact.Configuration {
  var configuration = AutoencoderCompact.Configuration()
  configuration.patchSize = 2
  configuration.encoderBlockOutChannels = [8, 12]
  configuration.decoderBlockOutChannels = [12, 8]
  configuration.encoderLayers = [1, 1]
  configuration.decoderLayers = [1, 2]
  configuration.latentChannels = 5
  return configuration
}

struct AutoencoderCompactTests {
  @Test func shapesAreThoseOfTheConfiguration() {
    for model in compactModels() {
      #expect(model.spatialFactor == 4)
      let posterior = model.encode(sampleTensor([2, 12, 8, 3]))
      #expect(posterior.mean.shape == [2, 3, 2, 5])
      #expect((posterior.logVariance != nil) == model.hasPosterior)
      #expect(model.decode(posterior.mode).shape == [2, 12, 8, 3])
    }
  }

  @Test func thePhotoPresetIsSmall() {
    let weights = WeightCollector(AutoencoderCompact(AutoencoderCompact.Configuration())).tensors
    func count(_ half: String) -> Int {
      weights.filter { $0.name.hasPrefix(half) }.reduce(0) { $0 + $1.tensor.shape.scalarCount }
    }
    #expect(count("encoder.") == 1_216_128)
    #expect(count("encoder.") + count("decoder.") < 3_000_000)
    #expect(weights.contains { $0.name == "encoder.down_blocks.0.downsamplers.0.conv.weight" })
    #expect(weights.contains { $0.name == "decoder.up_blocks.1.resnets.2.conv2.bias" })
  }

  @Test func aSavedModelIsLoadedAgain() throws {
    for model in compactModels() {
      try withTemporaryFolder { folder in
        try Data(model.configurationJSON().utf8).write(to: folder.appending(path: "config.json"))
        let weights = try Safetensors.encoded(tensors: WeightCollector(model).tensors)
        try Data(weights).write(
          to: folder.appending(path: "diffusion_pytorch_model.safetensors"))
        let loaded = try #require(
          try ImportedModel(contentsOf: folder).autoencoder() as? AutoencoderCompact)
        #expect(loaded.configuration == model.configuration)
        let picture = sampleTensor([1, 8, 8, 3])
        #expect(loaded.encode(picture).mean.scalars == model.encode(picture).mean.scalars)
        let latent = sampleTensor([1, 2, 2, 5])
        #expect(loaded.decode(latent).scalars == model.decode(latent).scalars)
      }
    }
  }

  @Test(arguments: [
    (#"{"patch_size": 3}"#, "patch_size is 3, not 1, 2, 4, 8 or 16"),
    (#"{"encoder_layers": [1]}"#, "2 entries and encoder_layers 1"),
    (#"{"latent_channels": 0}"#, "a size of 0"),
    (#"{"latents_std": [1]}"#, "latents_std has 1 entries for 16 latent channels"),
    (#"{"scaling_factor": 0}"#, "scaling_factor is 0.0"),
    (#"{"in_channels": 4}"#, "only 3 are supported"),
    (#"{"patch_size": 16, "encoder_block_out_channels": [8, 8, 8, 8]}"#, "decoder_block_out"),
  ])
  func aConfigurationThatCannotBeBuiltIsRefused(_ text: String, _ message: String) throws {
    guard case .object(let fields) = try JSONParser.parse(Array(text.utf8)) else { return }
    let error = #expect(throws: CheckpointError.self) {
      try AutoencoderCompact.Configuration(ConfigurationFields(fields, source: "config.json"))
    }
    #expect(error.map { "\($0)".contains(message) } == true, "\(String(describing: error))")
  }

  @Test func operationsAreCounted() throws {
    let model = compactModels()[0]
    // An 8×8 picture: 4×4 squares of 2×2, then 2×2.
    let encoder =
      16 * 9 * (12 * 8 + 2 * 8 * 8) + 4 * 9 * (8 * 12 + 2 * 12 * 12 + 12 * 5) + 4 * 48 * 5
    #expect(model.operationCount(of: .encoder, height: 8, width: 8) == 2 * encoder)
    let decoder =
      4 * 9 * (5 * 12 + 2 * 12 * 12) + 16 * 9 * (12 * 8 + 4 * 8 * 8 + 8 * 12) + 4 * 48 * 5
    #expect(model.operationCount(of: .decoder, height: 8, width: 8) == 2 * decoder)
  }

  @Test func aNewNetworkIsItsLinearMap() {
    var model = AutoencoderCompact(compactModels()[0].configuration)
    var random = PhiloxRandomSource(seed: 5)
    model.initialize(using: &random)
    let picture = sampleTensor([1, 8, 8, 3])
    let zero = model.encode(Tensor(zeros: picture.shape)).mean
    let (one, two) = (model.encode(picture).mean, model.encode(picture * 2).mean)
    #expect(zero.scalars.allSatisfy { $0 == 0 } && one.scalars.contains { $0 != 0 })
    #expect(relativeError(two, one * 2) < 1e-6)
    #expect(relativeError(model.decode(one * 2), model.decode(one) * 2) < 1e-6)
  }

  @Test func aNewPosteriorIsNarrow() throws {
    var model = AutoencoderCompact(compactModels()[1].configuration)
    var random = PhiloxRandomSource(seed: 5)
    model.initialize(using: &random)
    let deviation = try #require(model.encode(sampleTensor([1, 8, 8, 3])).standardDeviation)
    #expect(deviation.scalars.allSatisfy { abs($0 - 0.0498) < 1e-3 })
  }

  /// A loss with every parameter in it.
  private func loss(_ model: AutoencoderCompact, _ pictures: Tensor) -> Tensor {
    let posterior = model.encode(pictures)
    let noise = sampleTensor(posterior.mean.shape, seed: 9)
    return (model.decode(posterior.sample(noise: noise)) - pictures).squared().mean()
      + posterior.klDivergence().mean() * 1e-3
  }

  /// Each parameter is varied along its gradient: the loss changes by as much as the gradient says.
  @Test func theGradientIsTheSlope() throws {
    let pictures = sampleTensor([2, 8, 12, 3])
    for model in compactModels() {
      let gradient = valueWithGradient(at: model) { loss($0, pictures) }.gradient
      #expect(gradient.paths.count == WeightCollector(model).tensors.count)
      for path in gradient.paths {
        let direction = try #require(gradient[path])
        let square = direction.sumOfSquares
        let step = Float(2e-3 / square.squareRoot())
        let losses = try [step, -step].map { step in
          var mover = Mover(path: path, direction: direction * step)
          var moved = model
          try moved.visitParameters(at: .root, with: &mover)
          return Double(loss(moved, pictures).scalars[0])
        }
        let slope = (losses[0] - losses[1]) / Double(2 * step)
        #expect(abs(slope / square - 1) < 0.03, "\(path)")
      }
    }
  }

  private struct Mover: ParameterVisitor {
    let path: ParameterPath
    let direction: Tensor

    mutating func visit(
      _ parameter: inout Tensor, at path: ParameterPath, layout: ParameterLayout
    ) {
      if path == self.path { parameter = parameter + direction }
    }
  }

  @Test func theNumberOfThreadsDoesNotMatter() {
    let pictures = sampleTensor([2, 16, 24, 3])
    for model in compactModels() {
      let results = [1, 2, 3].map { count in
        ThreadPool.$current.withValue(ThreadPool(threadCount: count)) {
          let (value, gradient) = valueWithGradient(at: model) { loss($0, pictures) }
          return [value.scalars] + gradient.paths.map { gradient[$0]?.scalars ?? [] }
        }
      }
      #expect(results.allSatisfy { $0 == results[0] })
    }
  }
}
