import Foundation
import LatentFiles
import Models
import Pipelines
import Schedulers
import Tensors
import TestSupport
import Testing
import Training

@Suite struct DiffusionTrainingRunTests {
  let samples: LatentSamples

  init() throws {
    samples = try LatentSamples()
    try samples.writeClasses()
  }

  private var folder: TemporaryFolder { samples.folder }

  private func settings(
    steps: Int = 6, _ change: (inout DiffusionSettings) -> Void = { _ in }
  ) throws -> DiffusionSettings {
    try quickDiffusionSettings(steps: steps) {
      $0.autoencoder = folder("kl")
      change(&$0)
    }
  }

  private func run(
    _ settings: DiffusionSettings, _ name: String = "model", data: String = "data",
    stopAfter: Int = .max
  ) throws -> (end: TrainingEnd, notices: [String]) {
    let run = DiffusionTrainingRun(
      data: [folder(data)], folder: RunFolder(path: folder(name)), settings: settings)
    return try observing(stopAfter: stopAfter) { try run(stop: $0, report: $1) }
  }

  private func weights(_ name: String) throws -> Data {
    try Data(contentsOf: URL(filePath: folder("\(name)/unet/diffusion_pytorch_model.safetensors")))
  }

  private func expectRefusal(
    _ settings: DiffusionSettings, data: String = "data", _ texts: String...
  ) {
    #expect {
      try run(settings, "refused", data: data)
    } throws: { error in
      texts.allSatisfy { "\(error)".contains($0) }
    }
  }

  @Test func aRunLeavesAModelWithItsClasses() throws {
    let settings = try settings()
    let (end, notices) = try run(settings)
    #expect(end == .finished)
    #expect(notices.contains("12 latents of 4×8×8 in 2 classes: cat 6, dog 6"))
    let model = try LatentDiffusionModel(contentsOf: URL(filePath: folder("model")))
    #expect(model.classNames == ["cat", "dog"] && model.nullLabel == 2)
    #expect(model.denoiser.labelCount == 3 && model.denoiser.trainedSize == [8, 8])
    #expect(model.autoencoder.sha256 == samples.model.sha256)
    #expect(model.scheduler.predictionType == .velocity)
    #expect(try model.scheduler.noiseSchedule() == NoiseSchedule(.cosine))
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder("model/training/samples")).sorted()
        == ["step-000000003.png", "step-000000006.png"])
    let log = try TrainingLog.read(path: folder("model/training/log.jsonl"))
    #expect(log.map(\.step) == [1, 2, 3, 3, 4, 5, 6, 6])
    for name in ["loss", "mse", "gradient_norm", "learning_rate", "images_per_second"] {
      #expect(TrainingLog.series(name, in: log).count == 6, "\(name)")
    }
    #expect(TrainingLog.series("validation.mse", in: log).count == 2)
    #expect(TrainingLog.series("validation.mse.1", in: log).allSatisfy { $0.value > 0 })
    let page = try folder.text("model/training/report.html")
    #expect(page.contains("<svg") && page.contains("data:image/png;base64"))
    #expect(try folder.text("model/result.json").contains("\"step\": 6"))
  }

  @Test(arguments: [1, 3, 4])
  func aStoppedRunGoesOnToTheSameBits(_ step: Int) throws {
    let settings = try settings()
    #expect(try run(settings, "whole").end == .finished)
    #expect(try run(settings, stopAfter: step).end == .stopped(step: step))
    let (end, notices) = try run(settings)
    #expect(end == .finished && notices.last == "going on after step \(step)")
    #expect(try weights("model") == weights("whole"))
    #expect(try run(settings).end == .wasFinished)
  }

  @Test func shardsTrainAsFoldersDo() throws {
    // One side holds all: their names decide on which side latents are.
    let settings = try settings(steps: 3) {
      $0.data.validationFraction = 0
      $0.data.cacheMiB = 0
    }
    #expect(try run(settings, "folders").end == .finished)
    _ = try output(
      ofProgram: "/bin/tar",
      ["-cf", folder("all.tar"), "--sort=name", "-C", folder("data"), "cat", "dog"])
    #expect(try run(settings, "shards", data: "all.tar").end == .finished)
    #expect(try weights("folders") == weights("shards"))
  }

  @Test(arguments: [PredictionType.epsilon, .sample, .flow])
  func allPredictionsTrainAndSample(_ prediction: PredictionType) throws {
    let settings = try settings(steps: 3) {
      $0.noise.prediction = prediction
      $0.noise.schedule = .linear
      $0.data.labels = .none
    }
    #expect(try run(settings).end == .finished)
    let model = try LatentDiffusionModel(contentsOf: URL(filePath: folder("model")))
    #expect(model.classNames.isEmpty && model.denoiser.labelCount == nil)
    #expect(
      model.scheduler.useFlowSigmas == (prediction == .flow)
        && (prediction == .flow || model.scheduler.predictionType == prediction))
  }

  // MARK: Training further

  @Test func aModelIsTrainedFurtherWithSomeOfItsClasses() throws {
    #expect(try run(settings(steps: 2), "first").end == .finished)
    let further = try settings(steps: 2) { $0.model = .folder(folder("first")) }
    try FileManager.default.removeItem(atPath: folder("data/cat"))
    #expect(try run(further).end == .finished)
    let model = try LatentDiffusionModel(contentsOf: URL(filePath: folder("model")))
    #expect(model.classNames == ["cat", "dog"])
    #expect(try weights("model") != weights("first"))
    // The row of cats is as it was: the latents are dogs.
    try samples.writeClasses(["bird"])
    expectRefusal(further, "bird, dog", "cat, dog")
  }

  @Test func whatAModelDoesNotFitIsRefused() throws {
    #expect(try run(settings(steps: 2), "first").end == .finished)
    func further(
      _ change: (inout DiffusionSettings) -> Void
    ) throws -> DiffusionSettings {
      try settings(steps: 2) {
        $0.model = .folder(folder("first"))
        change(&$0)
      }
    }
    expectRefusal(
      try further { $0.noise.prediction = .epsilon }, "--set noise.prediction=v_prediction")
    expectRefusal(
      try further { $0.noise.schedule = .linear }, "--set noise.schedule=squaredcos_cap_v2")
    expectRefusal(try further { $0.data.labels = .none }, "classes are none", "cat, dog")
    let plain = try settings(steps: 2) { $0.objective.labelDropout = 0 }
    #expect(try run(plain, "plain").end == .finished)
    expectRefusal(
      try further { $0.model = .folder(folder("plain")) }, "set objective.label_dropout to 0")
    try samples.write("odd/x/1.latent", samples.bytes(seed: 1, size: (7, 8)))
    try samples.write("odd/x/2.latent", samples.bytes(seed: 1, size: (7, 8)))
    expectRefusal(try settings(), data: "odd", "7×8 isn't a multiple", "2")
  }

  @Test func anAutoencoderThatDidNotMakeTheLatentsIsRefused() throws {
    try tinyAutoencoderKL(seed: 2).save(to: URL(filePath: folder("other")))
    expectRefusal(try settings { $0.autoencoder = folder("other") }, "made with the model")
    try tinyAutoencoderKL { $0.scalingFactor = 3 }.save(to: URL(filePath: folder("scaled")))
    expectRefusal(try settings { $0.autoencoder = folder("scaled") }, "another scaling")
    #expect(!FileManager.default.fileExists(atPath: folder("refused/settings.json")))
  }

  // MARK: Settings

  @Test(arguments: [
    ("noise.prediction=epsilon noise.zero_terminal_snr=true", "says nothing where no signal"),
    ("sampling.scheduler=flow-euler", "flow-euler samples models of flow matching only"),
    ("noise.prediction=flow_prediction sampling.scheduler=ddim", "ddim can't sample"),
    ("noise.timesteps=10 sampling.steps=20", "sampling"),
    ("noise.beta_start=1e-9", "noise.beta_start"),
    ("noise.beta_end=1 noise.schedule=linear", "noise.beta_end"),
    ("noise.predictio=v", "did you mean noise.prediction?"),
    ("objective.label_dropout=1", "objective.label_dropout"),
    ("objective.weighting=minsnr", "objective.weighting"),
    ("data.labels=classes.txt", "data.labels"),
    ("data.balance=2", "data.balance"),
    ("train.decoder_only=true", "train.decoder_only"),
    ("model=huge", "model"),
    ("model={\"_class_name\":\"AutoencoderKL\"}", "model._class_name"),
  ])
  func badSettingsAreNamed(_ changes: String, _ message: String) {
    #expect {
      try DiffusionSettings().replacing(
        changes.split(separator: " ").map { change in
          let parts = change.split(separator: "=", maxSplits: 1).map(String.init)
          return (parts[0], parts[1])
        })
    } throws: { error in
      "\(error)".contains(message)
    }
  }

  @Test func settingsReadBackWhatTheyWrite() throws {
    let settings = try settings { $0.data.labels = .file("classes.csv") }
    #expect(
      try DiffusionSettings(decoding: Array(settings.text.utf8), source: "test") == settings)
    #expect(
      try DiffusionSettings(decoding: Array(DiffusionSettings().text.utf8), source: "test")
        == DiffusionSettings())
  }
}
