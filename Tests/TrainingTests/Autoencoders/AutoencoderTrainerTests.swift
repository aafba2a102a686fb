import Foundation
import Images
import Layers
import Models
import Tensors
import TestSupport
import Testing
import Training

/// The smallest network that has all kinds of layers.
func smallestArchitecture() -> JSONObject {
  [
    "_class_name": .string("AutoencoderKL"), "block_out_channels": .array([8, 16]),
    "down_block_types": .array([.string("DownEncoderBlock2D"), .string("DownEncoderBlock2D")]),
    "up_block_types": .array([.string("UpDecoderBlock2D"), .string("UpDecoderBlock2D")]),
    "norm_num_groups": JSONValue(4), "latent_channels": JSONValue(2),
    "sample_size": JSONValue(16), "scaling_factor": JSONValue(1),
  ]
}

/// Settings for runs of less than a second.
func quickSettings(steps: Int = 6) throws -> TrainingSettings {
  var settings = TrainingSettings()
  settings.model = .architecture(smallestArchitecture())
  settings.data.crop = 16
  settings.data.batchSize = 2
  settings.data.validationFraction = 0.3
  settings.optimizer.warmUpSteps = 2
  settings.objective.klWeight = 1e-4
  settings.train.steps = steps
  settings.train.logEvery = 1
  settings.train.checkpointEvery = 2
  settings.train.validateEvery = 3
  settings.train.sampleEvery = 3
  settings.train.sampleCount = 2
  return settings
}

extension [JSONValue] {
  fileprivate init(_ numbers: Int...) { self = numbers.map { JSONValue($0) } }
}

extension JSONValue {
  fileprivate static func array(_ numbers: [Int]) -> JSONValue {
    .array(numbers.map { JSONValue($0) })
  }
}

@Suite struct AutoencoderTrainerTests {
  private func model(_ settings: TrainingSettings) throws -> AutoencoderKL {
    guard case .kl(let configuration) = try settings.model.architecture() else {
      throw CancellationError()
    }
    var model = AutoencoderKL(configuration)
    var random = PhiloxRandomSource(seed: settings.train.seed)
    model.initialize(using: &random)
    return model
  }

  private func batch(_ number: Int, side: Int = 16) -> Tensor {
    sampleTensor([2, side, side, 3], seed: UInt64(number + 1)).clamped(to: -1...1)
  }

  private func weights(_ model: some ParameterContainer) -> [String: [Float]] {
    Dictionary(
      uniqueKeysWithValues: WeightCollector(model).tensors.map { ($0.name, $0.tensor.scalars) })
  }

  private func trained(
    _ settings: TrainingSettings, from model: AutoencoderKL? = nil, sameBatch: Bool = false,
    threads: Int = 1
  ) throws -> AutoencoderTrainer<AutoencoderKL> {
    try ThreadPool.$current.withValue(ThreadPool(threadCount: threads)) {
      var trainer = try AutoencoderTrainer(
        model ?? self.model(settings), settings: settings)
      var number = 0
      for _ in 0..<settings.train.steps {
        _ = try trainer.makeStep {
          defer { number += sameBatch ? 0 : 1 }
          return batch(number)
        }
      }
      return trainer
    }
  }

  @Test func aNewNetworkStartsAsPyTorchs() throws {
    let model = try model(quickSettings())
    for (name, tensor) in WeightCollector(model).tensors {
      let scalars = tensor.scalars
      if name.contains("norm") {
        #expect(scalars.allSatisfy { $0 == (name.hasSuffix("weight") ? 1 : 0) }, "\(name)")
      } else if name.hasSuffix("weight") {
        let inputs = tensor.shape.dimensions.dropFirst().reduce(1, *)
        let bound = 1 / Float(inputs).squareRoot()
        #expect(scalars.allSatisfy { abs($0) <= bound }, "\(name)")
        #expect((scalars.max() ?? 0) > bound * 0.6, "\(name)")
      } else {
        #expect(Set(scalars).count == scalars.count && scalars.allSatisfy { abs($0) < 1 })
      }
    }
  }

  @Test func theLossFalls() throws {
    var settings = try quickSettings(steps: 30)
    settings.optimizer.learningRate = 3e-3
    var trainer = try AutoencoderTrainer(model(settings), settings: settings)
    let losses = try (0..<30).map { _ in
      try trainer.makeStep { batch(0) }.objective.loss
    }
    // The batch is noise for the most part, which a latent can hold little of.
    #expect(losses[29] < losses[0] * 0.9, "\(losses)")
  }

  @Test func threadsChangeNothing() throws {
    let settings = try quickSettings(steps: 3)
    #expect(
      weights(try trained(settings, threads: 1).trained)
        == weights(try trained(settings, threads: 2).trained))
  }

  @Test func seedsChangeEverything() throws {
    var settings = try quickSettings(steps: 1)
    let first = weights(try trained(settings).averagedModel)
    settings.train.seed = 1
    #expect(weights(try trained(settings).averagedModel) != first)
  }

  @Test func aRestoredTrainerEndsWithTheSameBits() throws {
    let settings = try quickSettings(steps: 5)
    let whole = try trained(settings)
    var first = try AutoencoderTrainer(model(settings), settings: settings)
    for number in 0..<2 { _ = try first.makeStep { batch(number) } }
    var second = try AutoencoderTrainer(
      AutoencoderKL(first.trained.model.configuration), settings: settings)
    try second.restore(try first.checkpoint)
    for number in 2..<5 { _ = try second.makeStep { batch(number) } }
    #expect(weights(second.trained) == weights(whole.trained))
    #expect(weights(second.averagedModel) == weights(whole.averagedModel))
    #expect(weights(whole.averagedModel) != weights(whole.trained.model))
  }

  @Test func activationsComputedAgainGiveTheSameBits() throws {
    var settings = try quickSettings(steps: 2)
    let plain = weights(try trained(settings).trained)
    settings.train.activationCheckpointing = true
    #expect(weights(try trained(settings).trained) == plain)
  }

  @Test func accumulationIsTheMeanOverBatches() throws {
    var settings = try quickSettings(steps: 1)
    settings.objective.klWeight = 0
    settings.optimizer.clipNorm = 0
    let once = weights(try trained(settings, sameBatch: true).trained)
    settings.optimizer.accumulation = 2
    let twice = weights(try trained(settings, sameBatch: true).trained)
    for (name, values) in once where name.hasPrefix("decoder.conv_out") {
      // The noise of the two batches differs, but little at the start.
      #expect(relativeError(twice[name] ?? [], values) < 0.05, "\(name)")
    }
  }

  @Test func frozenParametersStay() throws {
    var settings = try quickSettings(steps: 3)
    let start = try model(settings)
    settings.train.decoderOnly = true
    settings.train.frozen = ["decoder.conv_out.*"]
    let end = try trained(settings, from: start)
    let before = weights(start)
    for after in [weights(end.trained.model), weights(end.averagedModel)] {
      for (name, values) in after {
        let isFrozen =
          name.hasPrefix("encoder.") || name.hasPrefix("quant_conv.")
          || name.hasPrefix("decoder.conv_out.")
        #expect((values == before[name]) == isFrozen, "\(name)")
      }
    }
    settings.train.frozen = ["*"]
    #expect(throws: TrainingError.nothingToTrain) {
      try AutoencoderTrainer(start, settings: settings)
    }
  }

  @Test func squaresMustFitTheNetwork() throws {
    var settings = try quickSettings()
    settings.data.crop = 17
    #expect(throws: TrainingError.cropDoesNotFit(crop: 17, factor: 2)) {
      try AutoencoderTrainer(model(settings), settings: settings)
    }
  }

  // MARK: Numbers that aren't finite

  @Test func aPoisonedWeightIsNamed() throws {
    let settings = try quickSettings()
    var model = try model(settings)
    model.decoder.convIn.bias = Tensor(repeating: .nan, shape: [16])
    var trainer = try AutoencoderTrainer(model, settings: settings)
    #expect(throws: TrainingError.notFinite(step: 1, place: "the parameter decoder.conv_in.bias")) {
      try trainer.makeStep { batch(0) }
    }
    #expect(trainer.step == 0)
  }

  @Test func theLayerThatOverflowsIsNamed() throws {
    let settings = try quickSettings()
    var model = try model(settings)
    model.postQuantConv?.weight = Tensor(repeating: 3e38, shape: [1, 1, 2, 2])
    var trainer = try AutoencoderTrainer(model, settings: settings)
    #expect {
      try trainer.makeStep { batch(0) }
    } throws: { error in
      guard case TrainingError.notFinite(1, let place) = error else { return false }
      // The sum of squares in the norm behind it overflows first where the product doesn't.
      return place.hasPrefix("the output at the layer post_quant_conv")
        || place.hasPrefix("the output at the layer decoder.")
    }
  }

  // MARK: Latents

  @Test func latentsAreScaledToVarianceOne() throws {
    var statistics = LatentStatistics()
    var values: [Float] = []
    for place in 0..<400 { values += [Float(place % 2 * 4 + 1), Float(place % 4 - 7)] }
    let mean = Tensor(values, shape: [1, 20, 20, 2])
    statistics.add(
      DiagonalGaussianDistribution(mean: mean, logVariance: Tensor(zeros: [1, 20, 20, 2])))
    let scaled = statistics.scaling.toDiffusion(mean).scalars
    for channel in 0..<2 {
      var (sum, squares) = (0.0, 0.0)
      for index in stride(from: channel, to: scaled.count, by: 2) {
        let value = Double(scaled[index])
        sum += value
        squares += value * value
      }
      // What is missing to 1 is the variance of the noise: 1 of 5, and 1 of 2.25.
      let share = channel == 0 ? 0.2 : 4.0 / 9
      #expect(abs(sum / 400) < 1e-5 && abs(squares / 400 + share - 1) < 1e-5)
    }
    let back = statistics.scaling.toAutoencoder(statistics.scaling.toDiffusion(mean))
    #expect(relativeError(back, mean) < 1e-6)
  }
}
