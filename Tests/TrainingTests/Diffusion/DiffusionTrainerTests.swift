import Layers
import Models
import Schedulers
import Synchronization
import Tensors
import TestSupport
import Testing
import Training

@Suite struct DiffusionTrainerTests {
  private func weights(_ model: some ParameterContainer) -> [String: [Float]] {
    Dictionary(
      uniqueKeysWithValues: WeightCollector(model).tensors.map { ($0.name, $0.tensor.scalars) })
  }

  private func trained(
    _ settings: DiffusionSettings, threads: Int = 1
  ) throws -> DiffusionTrainer<UNet2DModel> {
    try ThreadPool.$current.withValue(ThreadPool(threadCount: threads)) {
      var trainer = try DiffusionTrainer(tinyUNet(), settings: settings, nullLabel: nil)
      for number in 0..<settings.train.steps {
        _ = try trainer.makeStep { latentBatch(number) }
      }
      return trainer
    }
  }

  /// A step of AdamW with a huge ε goes along the gradient: then the loss falls by its square.
  @Test(arguments: PredictionType.allCases, [DenoisingSettings.Weighting.none, .minSNR, .edm])
  func theLossFallsAsTheGradientSays(
    _ prediction: PredictionType, _ weighting: DenoisingSettings.Weighting
  ) throws {
    var settings = try quickDiffusionSettings(steps: 1) {
      $0.noise.prediction = prediction
      $0.objective.weighting = weighting
      $0.optimizer.warmUpSteps = 0
      $0.optimizer.clipNorm = 0
      $0.optimizer.epsilon = 1e6
      $0.optimizer.learningRate = 1e-12
    }
    func step(_ model: UNet2DModel) throws -> (DiffusionTrainer<UNet2DModel>.Report, UNet2DModel) {
      var trainer = try DiffusionTrainer(model, settings: settings, nullLabel: nil)
      let report = try trainer.makeStep { latentBatch(0) }
      return (report, trainer.model)
    }
    let model = tinyUNet()
    let start = try step(model).0
    let square = start.gradientNorm * start.gradientNorm
    let length = 0.004 * start.loss / square
    let slopes = try [1.0, 2].map { factor in
      settings.optimizer.learningRate = factor * length * settings.optimizer.epsilon
      return (start.loss - (try step(step(model).1).0.loss)) / (factor * length)
    }
    // What the curvature adds is twice as much for twice the length.
    let slope = 2 * slopes[0] - slopes[1]
    #expect(abs(slope / square - 1) < 0.02, "\(slope) and \(square)")
  }

  @Test func theLossFalls() throws {
    let settings = try quickDiffusionSettings(steps: 120) {
      $0.optimizer.learningRate = 3e-3
      $0.objective.weighting = .none
    }
    var trainer = try DiffusionTrainer(tinyUNet(), settings: settings, nullLabel: nil)
    let losses = try (0..<120).map { _ in try trainer.makeStep { latentBatch(0) }.loss }
    let (first, last) = (losses.prefix(10).reduce(0, +), losses.suffix(10).reduce(0, +))
    #expect(last < first * 0.9, "\(first / 10) and \(last / 10)")
  }

  @Test func threadsChangeNothing() throws {
    let settings = try quickDiffusionSettings(steps: 3)
    let one = try trained(settings, threads: 1)
    let two = try trained(settings, threads: 2)
    #expect(weights(one.model) == weights(two.model))
    #expect(weights(one.averagedModel) == weights(two.averagedModel))
    #expect(weights(one.model) != weights(one.averagedModel))
  }

  @Test func aRestoredTrainerEndsWithTheSameBits() throws {
    let settings = try quickDiffusionSettings(steps: 5) { $0.optimizer.accumulation = 2 }
    let whole = try trained(settings)
    var first = try DiffusionTrainer(tinyUNet(), settings: settings, nullLabel: nil)
    for number in 0..<2 { _ = try first.makeStep { latentBatch(number) } }
    var second = try DiffusionTrainer(tinyUNet(seed: 9), settings: settings, nullLabel: nil)
    try second.restore(try first.checkpoint)
    for number in 2..<5 { _ = try second.makeStep { latentBatch(number) } }
    #expect(weights(second.model) == weights(whole.model))
    #expect(weights(second.averagedModel) == weights(whole.averagedModel))
  }

  @Test func frozenParametersStay() throws {
    let settings = try quickDiffusionSettings(steps: 2) { $0.train.frozen = ["down_blocks.*"] }
    let (before, after) = (weights(tinyUNet()), weights(try trained(settings).model))
    for (name, values) in before {
      #expect((after[name] == values) == name.hasPrefix("down_blocks."), "\(name)")
    }
    let all = try quickDiffusionSettings { $0.train.frozen = ["*"] }
    #expect(throws: TrainingError.nothingToTrain) {
      try DiffusionTrainer(tinyUNet(), settings: all, nullLabel: nil)
    }
  }

  /// Just the rows of labels that were seen get gradients, and so move.
  @Test(arguments: [(0.0, [0, 1]), (0.999_999, [2]), (0.5, [0, 1, 2])])
  func classesAreWithheldAsOftenAsSet(_ dropout: Double, _ moved: [Int]) throws {
    let settings = try quickDiffusionSettings(steps: 8) {
      $0.objective.labelDropout = dropout
      $0.optimizer.emaDecay = 0
    }
    let model = tinyUNet { $0.numClassEmbeds = 3 }
    var trainer = try DiffusionTrainer(
      model, settings: settings, nullLabel: dropout > 0 ? 2 : nil)
    for number in 0..<8 {
      _ = try trainer.makeStep { latentBatch(number, classCount: 2) }
    }
    let (before, after) = (weights(model), weights(trainer.model))
    let rows = try #require(before["class_embedding.weight"]).count / 3
    let changed = (0..<3).filter { row in
      let range = row * rows..<(row + 1) * rows
      return before["class_embedding.weight"]?[range] != after["class_embedding.weight"]?[range]
    }
    #expect(changed == moved)
  }

  @Test func whatIsNotFiniteStopsTheRunUnchanged() throws {
    let settings = try quickDiffusionSettings()
    var trainer = try DiffusionTrainer(tinyUNet(), settings: settings, nullLabel: nil)
    let before = weights(trainer.model)
    let bad = LatentBatch(latents: latentBatch(0).latents * .infinity, labels: nil)
    #expect(throws: TrainingError.notFinite(step: 1, place: "the loss")) {
      try trainer.makeStep { bad }
    }
    #expect(weights(trainer.model) == before && trainer.step == 0)
  }

  /// Of a flow the denoiser is told σ·1000, as diffusers' FlowMatchEulerDiscreteScheduler does it.
  @Test(arguments: PredictionType.allCases)
  func theTimeTellsHowMuchNoiseThereIs(_ prediction: PredictionType) throws {
    let settings = try quickDiffusionSettings { $0.noise.prediction = prediction }
    let recorder = Recorder()
    var trainer = try DiffusionTrainer(recorder, settings: settings, nullLabel: nil)
    for _ in 0..<10 {
      _ = try trainer.makeStep {
        LatentBatch(latents: Tensor(zeros: [4, 32, 32, 4]), labels: nil)
      }
    }
    let schedule = NoiseSchedule(.cosine)
    let inputs = recorder.inputs
    #expect(inputs.count == 40 && Set(inputs.map(\.time)).count > 35)
    for (time, deviation) in inputs {
      let expected =
        prediction == .flow ? time / 1000 : schedule.level(at: Int(time)).noise
      #expect(prediction == .flow || time == time.rounded())
      // Of 4096 numbers the deviation is right to 1.1 %.
      #expect(abs(deviation / expected - 1) < 0.06, "\(time): \(deviation) and \(expected)")
    }
  }
}

/// A denoiser that notes what it is given.
private struct Recorder: Denoiser {
  struct Configuration: Encodable, Sendable {}

  private final class Notes: Sendable {
    let inputs = Mutex<[(time: Double, deviation: Double)]>([])
  }

  static let className = "Recorder"
  let configuration = Configuration()
  private let notes = Notes()
  private var scale = Tensor(repeating: 1, shape: [4])

  let inputChannels = 4
  let outputChannels = 4
  let labelCount: Int? = nil
  let trainedSize: [Int]? = nil
  let spatialFactor = 1

  var inputs: [(time: Double, deviation: Double)] { notes.inputs.withLock { $0 } }

  mutating func visitParameters(
    at path: ParameterPath, with visitor: inout some ParameterVisitor
  ) throws {
    try visitor.visit(&scale, at: path / "scale", layout: .unchanged)
  }

  func callAsFunction(_ latents: Tensor, timesteps: [Float], labels: [Int]?) -> Tensor {
    for (index, time) in timesteps.enumerated() {
      let scalars = latents.images(index..<index + 1).scalars
      let square = scalars.reduce(0) { $0 + Double($1) * Double($1) } / Double(scalars.count)
      notes.inputs.withLock { $0.append((Double(time), square.squareRoot())) }
    }
    return latents
  }
}
