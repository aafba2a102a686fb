import Foundation
import Models
import Pipelines
import Tensors
import TestSupport
import Testing

@Suite struct ModelsCommandTests {
  let work: Workspace

  init() throws { work = try Workspace() }

  private func models(_ arguments: String...) throws -> Run {
    try work.start(["models"] + arguments).result()
  }

  @Test func theProgramsOwnModelsAreListedAndShown() throws {
    let run = try models()
    #expect(run.status == 0 && run.errors.isEmpty)
    let lines = run.output.split(separator: "\n")
    #expect(lines.map { $0.split(separator: " ").first } == ["photo", "emoji"])
    #expect(lines.allSatisfy { $0.hasSuffix("  built in") })
    let show = try models("show", "emoji").output
    #expect(show.contains("posterior        mean and variance\n"))
  }

  @Test func whatIsAddedIsListedAndShown() throws {
    #expect(try models("add", "kl").status == 0)
    #expect(try models("add", "taesd", "--name", "small_one").status == 0)
    let list = try models()
    #expect(list.status == 0)
    let lines = list.output.split(separator: "\n")
    #expect(lines.count == 4)
    #expect(lines[2].hasPrefix("kl         AutoencoderKL  f4  4 channels"))
    let records = Array(try models("list", "--json").records.dropFirst(2))
    #expect(records.compactMap { $0["name"] as? String } == ["kl", "small_one"])
    let show = try models("show", "kl")
    let hash = try #require(records.first?["sha256"] as? String)
    #expect(show.output.contains("weights          \(hash)\n"))
    #expect(show.output.contains("posterior        mean and variance\n"))
    #expect(try models("show", "small_one").output.contains("posterior        mean only\n"))
  }

  @Test func aNameOfOtherWeightsIsNotTaken() throws {
    #expect(try models("add", "kl", "--name", "m").status == 0)
    #expect(try models("add", "kl", "--name", "m").status == 0)
    let run = try models("add", "taesd", "--name", "m")
    #expect(run.status == 3 && run.errors.contains("the name m is taken by other weights"))
    #expect(try models("add", "taesd", "--name", "m", "--force").status == 0)
    #expect(try models("show", "m").output.contains("AutoencoderTiny"))
    let bad = try models("add", "kl", "--name", "../m")
    #expect(bad.status == 2 && bad.errors.contains("../m is no name for a model"))
    #expect(!work.exists("m"))
  }

  @Test func aFolderNameWithDotsIsKeptWhole() throws {
    try tinyAutoencoderKL().save(to: work.url("sd-1.5"))
    #expect(try models("add", "sd-1.5").status == 0)
    #expect(try models("list").output.contains("\nsd-1.5 "))
  }

  @Test func aChangedStoreIsNoticed() throws {
    #expect(try models("add", "kl").status == 0)
    try work.add("x.png")
    try FileManager.default.moveItem(at: work.url("kl"), to: work.url("moved"))
    #expect(try work.lvae("encode", "x.png", "--model", "kl").status == 0)
    let weights = "store/kl/diffusion_pytorch_model.safetensors"
    var bytes = try work.bytes(weights)
    bytes[bytes.count - 3] ^= 1
    try work.write(bytes, to: weights)
    let run = try work.lvae("encode", "x.png", "--model", "kl", "--force")
    #expect(run.status == 3 && run.errors.contains("were added; add the model again"))
    try work.write(Array(bytes.dropLast(8)), to: weights)
    let cut = try work.lvae("decode", "x.latent", "-o", "y.png")
    #expect(cut.status == 3 && cut.errors.contains(weights), "\(cut.errors)")
  }

  @Test(arguments: ["F32", "f16", "BF16"])
  func anExportLoadsAgain(_ type: String) throws {
    let run = try models("export", "kl", "-o", "out", "--dtype", type)
    #expect(run.status == 0, "\(run.errors)")
    #expect(work.files("out") == ["config.json", "diffusion_pytorch_model.safetensors"])
    try work.add("x.png")
    #expect(try work.lvae("encode", "x.png", "--model", "out").status == 0)
    let isExact = type == "F32"
    let decoded = try work.lvae("decode", "x.latent", "-o", "y.png", "--model", "kl")
    #expect(decoded.status == (isExact ? 0 : 3))
    let again = try models("export", "kl", "-o", "out")
    #expect(again.status == 3 && again.errors.contains("out holds a model; choose another"))
    #expect(try models("export", "kl", "-o", "out", "--force").status == 0)
  }

  @Test func aSingleCompVisFileIsImported() throws {
    let model = try tinyAutoencoderKL { configuration in
      configuration.blockOutChannels = [32, 32, 32]
      configuration.normNumGroups = 32
    }
    try Data(Safetensors.encoded(tensors: compVisTensors(of: model.autoencoder)))
      .write(to: work.url("vae.safetensors"))
    let run = try models("import", "vae.safetensors", "--name", "cv", "--family", "sdxl")
    #expect(run.status == 0, "\(run.errors)")
    let show = try models("show", "cv").output
    #expect(show.contains("weights          \(model.sha256)\n"))
    #expect(show.contains("scaling factor   0.13025\n"))
  }

  /// The weights under the names of the CompVis project, attention as 1×1 convolutions.
  private func compVisTensors(of model: any Autoencoder) -> [(name: String, tensor: Tensor)] {
    WeightCollector(model).tensors.map { name, tensor in
      var name = name
      for level in 0..<3 {
        name = name.replacing("up_blocks.\(level).", with: "up.\(2 - level).")
        name = name.replacing("down_blocks.\(level).", with: "down.\(level).")
      }
      for (ours, theirs) in [
        ("mid_block.resnets.0.", "mid.block_1."), ("mid_block.resnets.1.", "mid.block_2."),
        ("mid_block.attentions.0.group_norm", "mid.attn_1.norm"),
        ("mid_block.attentions.0.to_out.0", "mid.attn_1.proj_out"),
        ("mid_block.attentions.0.to_", "mid.attn_1."), (".resnets.", ".block."),
        ("conv_shortcut", "nin_shortcut"), ("downsamplers.0.", "downsample."),
        ("upsamplers.0.", "upsample."), ("conv_norm_out", "norm_out"),
      ] { name = name.replacing(ours, with: theirs) }
      let isMatrix = name.contains("attn_1") && tensor.shape.rank == 2
      let shape: Shape = isMatrix ? [tensor.shape[0], tensor.shape[1], 1, 1] : tensor.shape
      return (name, tensor.reshaped(to: shape))
    }
  }
}
