import Foundation
import Images
import Models
import Pipelines
import Tensors
import TestSupport
import Testing
import Training

@Suite struct AutoencoderTrainingRunTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    for number in 0..<6 {
      try folder.add(samplePicture(24, 20, seed: UInt64(number)), "data/\(number).png")
    }
  }

  private func run(
    _ settings: TrainingSettings, _ name: String = "model", data: String = "data",
    stopAfter: Int = .max
  ) throws -> (end: TrainingEnd, notices: [String]) {
    let run = AutoencoderTrainingRun(
      data: folder(data), folder: RunFolder(path: folder(name)), settings: settings)
    return try observing(stopAfter: stopAfter) { try run(stop: $0, report: $1) }
  }

  private func weights(_ name: String) throws -> Data {
    try Data(contentsOf: URL(filePath: folder("\(name)/diffusion_pytorch_model.safetensors")))
  }

  @Test func aRunLeavesAWholeFolder() throws {
    let settings = try quickSettings()
    #expect(try run(settings).end == .finished)
    let model = try PretrainedAutoencoder(contentsOf: URL(filePath: folder("model")))
    #expect(model.className == "AutoencoderKL")
    let scaling = model.autoencoder.latentScaling
    #expect(scaling.factor > 0 && scaling.factor != 1)
    #expect(scaling.mean?.count == 2 && scaling.standardDeviation?.count == 2)
    #expect(
      try TrainingSettings(contentsOf: URL(filePath: folder("model/settings.json"))) == settings)
    let log = try TrainingLog.read(path: folder("model/training/log.jsonl"))
    #expect(log.map(\.step) == [1, 2, 3, 3, 4, 5, 6, 6])
    for name in ["loss", "l1", "kl", "learning_rate", "gradient_norm", "images_per_second"] {
      #expect(TrainingLog.series(name, in: log).count == 6, "\(name)")
    }
    for name in [
      "validation.psnr", "validation.ssim", "validation.loss", "validation.kl.1",
      "validation.active_units",
    ] {
      #expect(TrainingLog.series(name, in: log).count == 2, "\(name)")
    }
    let page = try folder.text("model/training/report.html")
    #expect(page.contains("<svg") && page.contains("data:image/png;base64"))
    #expect(!page.contains("http-equiv"))
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder("model/training/samples")).sorted()
        == ["step-000000003.png", "step-000000006.png"])
    let digits = try folder.text("model/result.json")
    #expect(digits.contains("\"step\": 6") && digits.contains("\"sha256\""))
  }

  @Test(arguments: [1, 3, 4])
  func aStoppedRunGoesOnToTheSameBits(_ step: Int) throws {
    let settings = try quickSettings()
    #expect(try run(settings, "whole").end == .finished)
    #expect(try run(settings, stopAfter: step).end == .stopped(step: step))
    let (end, notices) = try run(settings)
    #expect(end == .finished && notices.last == "going on after step \(step)")
    #expect(try weights("model") == weights("whole"))
    let before = try weights("model")
    #expect(try run(settings).end == .wasFinished)
    #expect(try weights("model") == before)
  }

  @Test func aFinishedRunCanBeProlonged() throws {
    #expect(try run(quickSettings(steps: 2)).end == .finished)
    #expect(try run(quickSettings(steps: 4)).end == .finished)
    #expect(try run(quickSettings(steps: 4)).end == .wasFinished)
  }

  @Test func otherSettingsAreRefused() throws {
    var settings = try quickSettings(steps: 2)
    _ = try run(settings)
    settings.optimizer.learningRate = 1
    #expect { try run(settings) } throws: { "\($0)".contains("optimizer.learning_rate is 1") }
    settings = try quickSettings(steps: 2)
    guard case .architecture(var object) = settings.model else { return }
    object["latent_channels"] = JSONValue(3)
    settings.model = .architecture(object)
    #expect { try run(settings) } throws: { "\($0)".contains("latent_channels is 3, and was 2") }
  }

  @Test func badDataIsToldBeforeAnythingIsWritten() throws {
    var settings = try quickSettings()
    settings.data.crop = 32
    #expect { try run(settings) } throws: { error in
      "\(error)".contains("6 of 6 pictures are too small for crops of 32×32")
    }
    try FileManager.default.createDirectory(
      atPath: folder("empty"), withIntermediateDirectories: true)
    #expect { try run(quickSettings(), data: "empty") } throws: { "\($0)".contains("no pictures") }
    #expect { try run(quickSettings(), data: "nosuch") } throws: { "\($0)".contains("nosuch") }
    try folder.write("data/broken.png", "no picture")
    settings = try quickSettings()
    settings.data.unreadableLimit = 0
    #expect { try run(settings) } throws: { "\($0)".contains("broken.png") }
    #expect(!FileManager.default.fileExists(atPath: folder("model/settings.json")))
    settings.data.unreadableLimit = 1
    let (end, notices) = try run(settings)
    #expect(end == .finished && notices.contains { $0.contains("broken.png") })
  }

  @Test func aModelOfOthersIsNotOverwritten() throws {
    try tinyAutoencoderKL().save(to: URL(filePath: folder("model")))
    #expect(throws: TrainingError.folderInUse(path: folder("model"))) { try run(quickSettings()) }
  }

  @Test func aFrozenEncoderKeepsItsScaling() throws {
    let original = try tinyAutoencoderKL()
    try original.save(to: URL(filePath: folder("start")))
    var settings = try quickSettings(steps: 2)
    settings.model = .folder(folder("start"))
    settings.train.decoderOnly = true
    #expect(try run(settings).end == .finished)
    let tuned = try PretrainedAutoencoder(contentsOf: URL(filePath: folder("model")))
    #expect(tuned.autoencoder.latentScaling == original.autoencoder.latentScaling)
    #expect(tuned.sha256 != original.sha256)
  }

  @Test func aModelOfTheProgramIsTrainedFurther() throws {
    var settings = try quickSettings(steps: 1)
    settings.model = .builtIn("emoji")
    settings.train.decoderOnly = true
    #expect(try run(settings).end == .finished)
    let tuned = try PretrainedAutoencoder(contentsOf: URL(filePath: folder("model")))
    let original = try #require(try EmbeddedModels.load("emoji"))
    #expect(tuned.autoencoder.latentScaling == original.autoencoder.latentScaling)
    #expect(tuned.sha256 != original.sha256)
  }
}
