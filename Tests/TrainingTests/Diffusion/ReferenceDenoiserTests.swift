import Foundation
import Models
import Pipelines
import Schedulers
import Tensors
import TestSupport
import Testing
import Training

/// Training beside PyTorch and diffusers: `Scripts/reference_denoiser.py`.
@Suite(.enabled(if: python != nil, "LVAE_PYTHON isn't set"))
struct ReferenceDenoiserTests {
  private static let script = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../../Scripts/reference_denoiser.py").standardizedFileURL.path

  /// The trainer's streams of random numbers.
  private static let (noiseStream, timeStream): (UInt64, UInt64) = (3, 9)

  @Test(arguments: PredictionType.allCases, [DenoisingSettings.Weighting.none, .minSNR])
  func firstLossesAreThoseOfDiffusers(
    _ prediction: PredictionType, _ weighting: DenoisingSettings.Weighting
  ) throws {
    try compare { settings in
      settings.noise.prediction = prediction
      settings.objective.weighting = weighting
      settings.noise.schedule = prediction == .epsilon ? .scaledLinear : .cosine
    }
  }

  @Test func lossesWithoutSignalAtTheEndAreThoseOfDiffusers() throws {
    try compare { settings in
      settings.noise.timesteps = 3
      settings.noise.schedule = .linear
      settings.noise.zeroTerminalSNR = true
      settings.objective.weighting = .none
    }
  }

  private func compare(_ change: (inout DiffusionSettings) -> Void) throws {
    let settings = try quickDiffusionSettings(steps: 4) {
      change(&$0)
      $0.optimizer.schedule = .constant
      $0.optimizer.warmUpSteps = 0
      $0.optimizer.clipNorm = 0
    }
    let folder = try TemporaryFolder()
    let model = tinyUNet { $0.numClassEmbeds = 3 }
    try LatentDiffusionModel(
      autoencoder: tinyAutoencoderKL(), denoiser: model, scheduler: settings.noise.scheduler
    ).save(to: URL(filePath: folder.path))
    try folder.write("settings.json", settings.text)
    let batches = (0..<4).map { latentBatch($0, classCount: 3) }
    let tensors = batches.enumerated().flatMap { inputs(number: $0, of: $1, settings) }
    try Data(Safetensors.encoded(tensors: tensors)).write(
      to: URL(filePath: folder("batches.safetensors")))
    var trainer = try DiffusionTrainer(model, settings: settings, nullLabel: nil)
    let reports = try batches.map { batch in try trainer.makeStep { batch } }
    _ = try output(ofProgram: try #require(python), [Self.script, folder.path])
    let lines = try folder.text("losses.jsonl").split(separator: "\n")
    #expect(lines.count == 4)
    for (line, report) in zip(lines, reports) {
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      let (loss, error) = (
        try #require(object?["loss"] as? Double), try #require(object?["mse"] as? Double)
      )
      #expect(abs(report.loss - loss) < 1e-3 * loss, "\(report.loss) and \(loss)")
      #expect(abs(report.meanSquareError - error) < 1e-3 * error)
    }
    let (first, line) = (reports[0], lines[0])
    let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
    let loss = try #require(object?["loss"] as? Double)
    #expect(abs(first.loss - loss) < 2e-5 * loss, "\(first.loss) and \(loss)")
  }

  /// What the trainer draws for a batch.
  private func inputs(
    number: Int, of batch: LatentBatch, _ settings: DiffusionSettings
  ) -> [(name: String, tensor: Tensor)] {
    let random = PhiloxRandomSource(seed: settings.train.seed)
    var noises = random.stream(Self.noiseStream).stream(UInt64(number))
    var times = random.stream(Self.timeStream).stream(UInt64(number))
    let time =
      settings.noise.prediction == .flow
      ? NoiseLevelSampling.logitNormalSigmas(count: 4, using: &times)
      : NoiseLevelSampling.uniformTimesteps(
        count: 4, of: settings.noise.timesteps, using: &times
      ).map(Double.init)
    return [
      ("latents.\(number)", batch.latents),
      ("noise.\(number)", .randomNormal(shape: batch.latents.shape, using: &noises)),
      ("time.\(number)", Tensor(time.map { Float($0) }, shape: [4])),
      ("labels.\(number)", Tensor((batch.labels ?? []).map { Float($0) }, shape: [4])),
    ]
  }
}

private let python = ProcessInfo.processInfo.environment["LVAE_PYTHON"]
