import Foundation
import Models
import Tensors
import TestSupport
import Testing

/// The names and shapes of full-size models, as diffusers has them.
private func fullShapes(_ model: String) throws -> [String: Shape] {
  let data = try Data(contentsOf: SharedFiles.url("golden/full_keys.json"))
  guard case .object(let models) = try JSONParser.parse([UInt8](data)),
    case .object(let keys)? = models[model]
  else { return [:] }
  let shapes = keys.members.map { member in
    guard case .array(let extents) = member.value else { return (member.key, Shape([])) }
    return (member.key, Shape(extents.map { $0.integer(as: Int.self) ?? -1 }))
  }
  return Dictionary(uniqueKeysWithValues: shapes)
}

/// The name that CompVis gives to a tensor of an autoencoder with four levels.
private func compVisName(_ name: String) -> String {
  var name = name
  for level in 0..<4 {
    name = name.replacing("up_blocks.\(level).", with: "up.\(3 - level).")
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
  return name
}

/// The shapes under CompVis' names; attention weights are 1×1 convolutions there.
private func compVisShapes(_ shapes: [String: Shape], prefix: String) -> [String: Shape] {
  var result: [String: Shape] = [:]
  for (name, shape) in shapes {
    let isMatrix = name.contains("attentions") && shape.rank == 2
    result[prefix + compVisName(name)] = isMatrix ? [shape[0], shape[1], 1, 1] : shape
  }
  return result
}

@Suite(.enabled(if: SharedFiles.exist, "\(SharedFiles.absence)"))
struct CompVisImporterTests {
  @Test(arguments: ["", "vae.", "first_stage_model."])
  func allNamesOfFullSizeModelsAreMapped(_ prefix: String) throws {
    for model in ["sd15_sdxl_kl", "sd3_flux_kl"] {
      let shapes = try fullShapes(model)
      var foreign = compVisShapes(shapes, prefix: prefix)
      #expect(foreign.count == shapes.count)
      #expect(foreign.keys.contains(prefix + "decoder.up.0.block.2.norm1.weight"))
      foreign["model_ema.decay"] = [1]
      foreign[prefix + "loss.logvar"] = []
      let renamed = try CompVisImporter.renamed(Checkpoint(ShapesOnly(shapes: foreign)))
      let report = KeyReport(expected: shapes, found: renamed.shapes)
      #expect(report.isEmpty, "\(report)")
      // The deepest level is diffusers' first and CompVis' last.
      #expect(
        CompVisImporter.diffusersName("decoder.up.3.block.0.conv1.weight", levelCount: 4)
          == "decoder.up_blocks.0.resnets.0.conv1.weight")
    }
  }

  @Test func aSingleFileIsImportedWithItsSettings() throws {
    let shapes: [String: Shape] = try fullShapes("sd3_flux_kl").mapValues { shape in
      // Half the size of the real model in each direction keeps the test quick.
      Shape(shape.dimensions.map { $0 >= 128 ? $0 / 4 : $0 })
    }
    try withTemporaryFolder { folder in
      let url = folder.appending(path: "ae.safetensors")
      let tensors = compVisShapes(shapes, prefix: "").map {
        (name: $0.key, tensor: Tensor(repeating: 1, shape: $0.value))
      }
      try Data(Safetensors.encoded(tensors: tensors, as: .bfloat16)).write(to: url)
      let model = try ImportedModel(contentsOf: url)
      #expect(model.className == "AutoencoderKL")
      let fields = model.configuration
      #expect(try fields.integers("block_out_channels", or: []) == [32, 64, 128, 128])
      #expect(try fields.integer("layers_per_block", or: 0) == 2)
      #expect(try fields.integer("latent_channels", or: 0) == 16)
      #expect(try fields.number("scaling_factor", or: 0) == 0.3611)
      #expect(try fields.number("shift_factor", or: 0) == 0.1159)
      #expect(try !fields.boolean("use_quant_conv", or: true))
      #expect(try !fields.boolean("use_post_quant_conv", or: true))
      #expect(try fields.boolean("mid_block_add_attention", or: false))
      #expect(
        try fields.strings("up_block_types", or: [])
          == [String](repeating: "UpDecoderBlock2D", count: 4))
      let query = try model.checkpoint.tensor(named: "encoder.mid_block.attentions.0.to_q.weight")
      #expect(query.shape == [128, 128])
      let other = try ImportedModel(
        contentsOf: url, options: ImportOptions(family: .stableDiffusion3))
      #expect(try other.configuration.number("scaling_factor", or: 0) == 1.5305)
      #expect(throws: CheckpointError.self) {
        try ImportedModel(contentsOf: url, options: ImportOptions(family: .stableDiffusion))
      }
    }
  }

  @Test func namesWithImpossibleNumbersStayAsTheyAre() throws {
    let names = ["9223372036854775807", "-9223372036854775808", "99999999999999999999", "-1", ""]
      .flatMap { ["decoder.up.\($0).block.0.conv1.weight", "\($0).weight"] }
    let shapes = Dictionary(uniqueKeysWithValues: names.map { ($0, [1] as Shape) })
    let renamed = try CompVisImporter.renamed(Checkpoint(ShapesOnly(shapes: shapes)))
    #expect(renamed.shapes == shapes)
    try withTemporaryFolder { folder in
      let tensors = names.map { (name: $0, tensor: Tensor([1], shape: [1])) }
      for half in ["encoder", "decoder"] {
        try Data(Safetensors.encoded(tensors: tensors))
          .write(to: folder.appending(path: "x_\(half).safetensors"))
      }
      #expect(throws: CheckpointError.self) { try ImportedModel(contentsOf: folder) }
    }
  }

  @Test func extentsOutOfRangeAreRefused() throws {
    let header =
      #"{"decoder.conv_in.weight":{"dtype":"F32","shape":[0,6917529027641081856,1,1],"#
      + #""data_offsets":[0,0]},"encoder.conv_out.weight":{"dtype":"F32","shape":[2,0,1,1],"#
      + #""data_offsets":[0,0]}}"#
    try withTemporaryFolder { folder in
      let url = folder.appending(path: "x.safetensors")
      try Data(Pickle.number(header.utf8.count, width: 8) + Array(header.utf8)).write(to: url)
      #expect(throws: CheckpointError.self) { try ImportedModel(contentsOf: url) }
    }
  }

  @Test func whatIsNoAutoencoderIsRefused() throws {
    try withTemporaryFolder { folder in
      let url = folder.appending(path: "x.safetensors")
      try Data(Safetensors.encoded(tensors: [("w", Tensor([1], shape: [1]))])).write(to: url)
      #expect(throws: CheckpointError.self) { try ImportedModel(contentsOf: url) }
      #expect(throws: CheckpointError.self) {
        try ImportedModel(contentsOf: folder.appending(path: "absent"))
      }
    }
  }
}

@Suite(.enabled(if: SharedFiles.exist, "\(SharedFiles.absence)"))
struct TAESDImporterTests {
  @Test(arguments: ["taesd", "taef2"])
  func theOwnNumberingEqualsDiffusers(_ name: String) throws {
    let folder = SharedFiles.url("models/taesd/\(name)")
    let own = try ImportedModel(contentsOf: folder)
    let other = try ImportedModel(contentsOf: folder.appending(path: "diffusers"))
    #expect(own.className == "AutoencoderTiny")
    #expect(other.className == "AutoencoderTiny")
    try expectEqual(own.checkpoint, other.checkpoint)
    var expected = other.configuration.values
    expected["_diffusers_version"] = nil
    for member in expected.members {
      let found = own.configuration.values[member.key]
      // A file may write 1 as 1.0.
      guard found != member.value else { continue }
      #expect(found?.double != nil && found?.double == member.value.double, "\(member.key)")
    }
    #expect(
      Set(own.configuration.values.members.map(\.key)) == Set(expected.members.map(\.key)))
  }

  @Test func eitherFileOfAPairWillDo() throws {
    for half in ["encoder", "decoder"] {
      let model = try ImportedModel(
        contentsOf: SharedFiles.url("models/taesd/taef1/taef1_\(half).safetensors"))
      #expect(try model.configuration.integer("latent_channels", or: 0) == 16)
      #expect(!model.configuration.has("use_midblock_gn"))
      let report = KeyReport(
        expected: try fullShapes("taesd3_taef1"), found: model.checkpoint.shapes)
      #expect(report.isEmpty, "\(report)")
    }
  }

  @Test func aMissingDecoderIsNamed() throws {
    try withTemporaryFolder { folder in
      let source = SharedFiles.url("models/taesd/taesd/taesd_encoder.safetensors")
      let url = folder.appending(path: "x_encoder.safetensors")
      try FileManager.default.copyItem(at: source, to: url)
      #expect(
        throws: CheckpointError.missingFile(
          folder: folder.path, expected: ["x_decoder.safetensors"])
      ) { try ImportedModel(contentsOf: url) }
    }
  }
}

@Suite(.enabled(if: SharedFiles.exist, "\(SharedFiles.absence)"))
struct DiffusersImporterTests {
  @Test(arguments: [
    ("kl_tiny", "AutoencoderKL"), ("taesd_tiny", "AutoencoderTiny"), ("unet_tiny", "UNet2DModel"),
  ])
  func aFolderIsImportedAsItIs(_ name: String, _ className: String) throws {
    let folder = SharedFiles.url("golden/\(name)")
    let model = try ImportedModel(contentsOf: folder)
    #expect(model.className == className)
    let file = try Checkpoint(
      contentsOf: folder.appending(path: "diffusion_pytorch_model.safetensors"))
    try expectEqual(model.checkpoint, file)
  }

  @Test func olderNamesAndShapesOfAttentionAreModernised() throws {
    let config = "{\"_class_name\":\"AutoencoderKL\",\"unknown\":[]}"
    let tensors = ["query", "key", "value", "proj_attn"].flatMap { name in
      let path = "encoder.mid_block.attentions.0.\(name)"
      return [
        (name: "\(path).weight", tensor: Tensor(repeating: 1, shape: [2, 2, 1, 1])),
        (name: "\(path).bias", tensor: Tensor(repeating: 1, shape: [2])),
      ]
    }
    try withTemporaryFolder { folder in
      let vae = folder.appending(path: "vae")
      try FileManager.default.createDirectory(at: vae, withIntermediateDirectories: true)
      try Data(config.utf8).write(to: vae.appending(path: "config.json"))
      #expect(throws: CheckpointError.self) { try ImportedModel(contentsOf: folder) }
      try Data(Safetensors.encoded(tensors: tensors, as: .float16))
        .write(to: vae.appending(path: "diffusion_pytorch_model.fp16.safetensors"))
      let checkpoint = try ImportedModel(contentsOf: folder).checkpoint
      let path = "encoder.mid_block.attentions.0"
      #expect(
        checkpoint.names
          == ["to_k", "to_out.0", "to_q", "to_v"].flatMap {
            ["\(path).\($0).bias", "\(path).\($0).weight"]
          })
      #expect(try checkpoint.tensor(named: "\(path).to_out.0.weight").shape == [2, 2])
      #expect(throws: CheckpointError.self) {
        try ImportedModel(contentsOf: folder, options: ImportOptions(variant: "bf16"))
      }
    }
  }
}
