import Foundation
import Models
import Pipelines
import Schedulers
import Tensors
import TestSupport
import Testing

@Suite struct LatentDiffusionModelTests {
  private let folder: TemporaryFolder
  private let scheduler: SchedulerConfiguration = {
    var configuration = SchedulerConfiguration(.ddim)
    configuration.betaStart = 0.00085
    return configuration
  }()

  init() throws { folder = try TemporaryFolder() }

  private var url: URL { URL(filePath: folder("model"), directoryHint: .isDirectory) }

  private func model() throws -> LatentDiffusionModel {
    try LatentDiffusionModel(
      autoencoder: tinyAutoencoderKL(), denoiser: tinyUNet(), scheduler: scheduler)
  }

  @Test func whatIsSavedIsLoadedAgain() throws {
    let model = try model()
    try model.save(to: url)
    let loaded = try LatentDiffusionModel(contentsOf: url)
    #expect(loaded.autoencoder.sha256 == model.autoencoder.sha256)
    #expect(loaded.autoencoder.name == "model")
    #expect(loaded.scheduler == scheduler)
    let x = sampleTensor([1, 4, 6, 4])
    #expect(
      loaded.denoiser(x, timesteps: [7], labels: nil).scalars
        == model.denoiser(x, timesteps: [7], labels: nil).scalars)
  }

  @Test func namesOfClassesAreKeptAndTheLabelBehindThemIsForNone() throws {
    let model = try LatentDiffusionModel(
      autoencoder: tinyAutoencoderKL(), denoiser: tinyUNet { $0.numClassEmbeds = 3 },
      scheduler: scheduler, classNames: ["cat", "dog"])
    try model.save(to: url)
    let loaded = try LatentDiffusionModel(contentsOf: url)
    #expect(loaded.classNames == ["cat", "dog"] && loaded.nullLabel == 2)
    #expect(try self.model().nullLabel == nil)
  }

  @Test func theFolderIsLaidOutAsDiffusersDoes() throws {
    try folder.write("model/notes.txt", "mine")
    try model().save(to: url, as: .float16)
    try model().save(to: url, as: .float16)
    #expect(
      try FileManager.default.subpathsOfDirectory(atPath: url.path).sorted() == [
        "model_index.json", "notes.txt", "scheduler", "scheduler/scheduler_config.json", "unet",
        "unet/config.json", "unet/diffusion_pytorch_model.safetensors", "vae", "vae/config.json",
        "vae/diffusion_pytorch_model.safetensors",
      ])
    let index = try ConfigurationFields(contentsOf: url.appending(path: "model_index.json")).values
    #expect(index["unet"] == .array([.string("diffusers"), .string("UNet2DModel")]))
    #expect(index["vae"] == .array([.string("diffusers"), .string("AutoencoderKL")]))
    #expect(index["scheduler"] == .array([.string("diffusers"), .string("DDIMScheduler")]))
  }

  @Test func variantsAndShardsAreRead() throws {
    try model().save(to: url)
    let expected = try LatentDiffusionModel(contentsOf: url)
    let unet = url.appending(path: "unet")
    let weights = unet.appending(path: "diffusion_pytorch_model.safetensors")
    let file = try Safetensors(contentsOf: weights)
    let names = file.names.sorted()
    let halves = [names.prefix(names.count / 2), names.dropFirst(names.count / 2)]
    var map: JSONObject = [:]
    for (index, half) in halves.enumerated() {
      let name = "diffusion_pytorch_model-0000\(index + 1)-of-00002.safetensors"
      let tensors = try half.map { (name: $0, tensor: try file.tensor(named: $0)) }
      try Data(Safetensors.encoded(tensors: tensors)).write(to: unet.appending(path: name))
      for tensor in half { map[tensor] = .string(name) }
    }
    try FileManager.default.removeItem(at: weights)
    let index = JSONValue.object(["metadata": .object([:]), "weight_map": .object(map)])
    try folder.write(
      "model/unet/diffusion_pytorch_model.safetensors.index.json", index.text)
    let vae = url.appending(path: "vae")
    try FileManager.default.moveItem(
      at: vae.appending(path: "diffusion_pytorch_model.safetensors"),
      to: vae.appending(path: "diffusion_pytorch_model.fp16.safetensors"))
    try FileManager.default.moveItem(at: vae, to: url.appending(path: "vqvae"))
    try rewriteIndex { index in
      index["vqvae"] = index["vae"]
      index["vae"] = nil
      index["safety_checker"] = .array([.null, .null])
    }
    let loaded = try LatentDiffusionModel(contentsOf: url)
    #expect(loaded.autoencoder.sha256 == expected.autoencoder.sha256)
    let x = sampleTensor([1, 4, 6, 4])
    #expect(
      loaded.denoiser(x, timesteps: [7], labels: nil).scalars
        == expected.denoiser(x, timesteps: [7], labels: nil).scalars)
  }

  private func rewriteIndex(_ change: (inout JSONObject) -> Void) throws {
    let path = url.appending(path: "model_index.json")
    var index = try ConfigurationFields(contentsOf: path).values
    change(&index)
    try folder.write("model/model_index.json", JSONValue.object(index).text)
  }

  @Test func partsThatDoNotBelongTogetherAreRefused() throws {
    let autoencoder = try tinyAutoencoderKL()
    #expect(throws: LatentDiffusionError.inputChannels(latent: 4, denoiser: 3)) {
      try LatentDiffusionModel(
        autoencoder: autoencoder, denoiser: tinyUNet { $0.inChannels = 3 }, scheduler: scheduler)
    }
    #expect(throws: LatentDiffusionError.outputChannels(latent: 4, denoiser: 3)) {
      try LatentDiffusionModel(
        autoencoder: autoencoder, denoiser: tinyUNet { $0.outChannels = 3 }, scheduler: scheduler)
    }
    #expect(throws: LatentDiffusionError.classes(names: 3, labels: 2)) {
      try LatentDiffusionModel(
        autoencoder: autoencoder, denoiser: tinyUNet { $0.numClassEmbeds = 2 },
        scheduler: scheduler, classNames: ["a", "b", "c"])
    }
    _ = try LatentDiffusionModel(
      autoencoder: autoencoder, denoiser: tinyUNet { $0.outChannels = 8 }, scheduler: scheduler)
  }

  @Test func anIndexThatNamesOtherPartsIsRefused() throws {
    try model().save(to: url)
    let path = url.appending(path: "model_index.json").path
    let index = try folder.text("model/model_index.json")
    func error(_ change: (inout JSONObject) -> Void) throws -> LatentDiffusionError? {
      try folder.write("model/model_index.json", index)
      try rewriteIndex(change)
      return #expect(throws: LatentDiffusionError.self) {
        try LatentDiffusionModel(contentsOf: url)
      }
    }
    #expect(try error { $0["unet"] = nil } == .missingPart(index: path, names: ["unet"]))
    #expect(try error { $0["vae"] = nil } == .missingPart(index: path, names: ["vae", "vqvae"]))
    let text = JSONValue.array([.string("transformers"), .string("CLIPTextModel")])
    #expect(
      try error { $0["text_encoder"] = text }
        == .unknownPart(index: path, name: "text_encoder", className: "CLIPTextModel"))
    let tiny = JSONValue.array([.string("diffusers"), .string("AutoencoderTiny")])
    #expect(
      try error { $0["vae"] = tiny }
        == .otherClass(
          index: path, name: "vae", expected: "AutoencoderTiny", found: "AutoencoderKL"))
  }

  @Test(arguments: ["model_index.json", "unet/config.json", "scheduler/scheduler_config.json"])
  func aFolderWithoutAPartIsRefused(_ name: String) throws {
    try model().save(to: url)
    try FileManager.default.removeItem(at: url.appending(path: name))
    #expect {
      try LatentDiffusionModel(contentsOf: url)
    } throws: { error in
      (error is CheckpointError || error is SchedulerError) && "\(error)".contains(url.path)
    }
  }

  /// A save that ends early leaves no index, so that old and new parts aren't taken for a model.
  @Test func anUnfinishedSaveIsNoModel() throws {
    try model().save(to: url)
    let unet = url.appending(path: "unet")
    try FileManager.default.removeItem(at: unet)
    try folder.write("model/unet", "a file where a folder should be")
    #expect(throws: (any Error).self) { try model().save(to: url) }
    #expect(!FileManager.default.fileExists(atPath: url.appending(path: "model_index.json").path))
  }
}
