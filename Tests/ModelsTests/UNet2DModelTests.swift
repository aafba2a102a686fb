import Foundation
import Layers
import Models
import Tensors
import TestSupport
import Testing

/// Against diffusers' outputs and PyTorch's gradients; see the README beside them for the
/// tolerances: 2e-5 and 5e-5 of the largest value of each, ten times what rounding explains.
@Suite(.enabled(if: SharedFiles.exist, Comment(rawValue: SharedFiles.absence)))
struct UNet2DModelTests {
  static let names = ["unet_tiny", "unet_tiny_cls"]

  private struct Case {
    let model: UNet2DModel
    let golden: Safetensors
    let timesteps: [Float]
    let labels: [Int]?

    init(_ name: String) throws {
      let folder = SharedFiles.url("golden/\(name)")
      model = try #require(try ImportedModel(contentsOf: folder).denoiser() as? UNet2DModel)
      golden = try Safetensors(contentsOf: folder.appending(path: "golden.safetensors"))
      timesteps = [10, 500]
      labels = name.hasSuffix("cls") ? [3, 7] : nil
    }

    func estimate(_ model: UNet2DModel) throws -> Tensor {
      model(try golden.input("x"), timesteps: timesteps, labels: labels)
    }
  }

  @Test(arguments: names)
  func estimatesAreThoseOfDiffusers(_ name: String) throws {
    let test = try Case(name)
    #expect(try relativeError(test.estimate(test.model), test.golden.input("out")) < 2e-5)
  }

  @Test(arguments: names)
  func everyStageGivesTheActivationsOfDiffusers(_ name: String) throws {
    let test = try Case(name)
    let (model, golden) = (test.model, test.golden)
    let projected = model.timeProjection(test.timesteps)
    #expect(try relativeError(projected, golden.tensor(named: "time_proj")) < 2e-5)
    let embedded = model.timeEmbedding(projected)
    #expect(try relativeError(embedded, golden.tensor(named: "act.time_embedding")) < 2e-5)
    let time = model.embedding(timesteps: test.timesteps, labels: test.labels, images: 2)
      .activated(.silu)
    var hidden = model.convIn(try golden.input("x"))
    #expect(try relativeError(hidden, golden.input("act.conv_in")) < 2e-5)
    var skips = [hidden]
    hidden = model.downBlocks[0](hidden, time: time, skips: &skips)
    #expect(try relativeError(hidden, golden.input("act.down_blocks.0")) < 2e-5)
    hidden = model.downBlocks[1](hidden, time: time, skips: &skips)
    let midBlock = try #require(model.midBlock)
    hidden = midBlock(hidden, time: time)
    #expect(try relativeError(hidden, golden.input("act.mid_block")) < 2e-5)
    hidden = model.upBlocks[0](hidden, time: time, skips: &skips)
    #expect(try relativeError(hidden, golden.input("act.up_blocks.0")) < 2e-5)
  }

  @Test func gradientsAreThoseOfPyTorch() throws {
    let test = try Case("unet_tiny")
    let golden = try Safetensors(
      contentsOf: SharedFiles.url("golden/unet_tiny/grads.safetensors"))
    let target = try test.golden.input("target")
    let (value, gradient) = try valueWithGradient(at: test.model) {
      (try test.estimate($0) - target).squared().mean()
    }
    let loss = try #require(golden.metadata["loss"].flatMap { Float($0) })
    #expect(abs(value.scalars[0] - loss) <= 2e-5 * abs(loss))
    var comparison = Comparison(golden: golden, gradient: gradient)
    var model = test.model
    try model.visitParameters(at: .root, with: &comparison)
    #expect(comparison.count == golden.names.count)
  }

  private struct Comparison: ParameterVisitor {
    let golden: Safetensors
    let gradient: Gradient
    var count = 0

    mutating func visit(
      _ parameter: inout Tensor, at path: ParameterPath, layout: ParameterLayout
    ) throws {
      let expected = layout.fromCheckpoint(try golden.tensor(named: path.description))
      let found = try #require(gradient[path], "\(path)")
      count += 1
      if path.description.hasSuffix("to_k.bias") {
        // 0 but for rounding, as softmax doesn't change when all scores grow alike.
        #expect(found.scalars.allSatisfy { abs($0) < 1e-6 }, "\(path)")
      } else {
        #expect(relativeError(found, expected) < 5e-5, "\(path)")
      }
    }
  }

  /// Of the network whose gradients no file has: scales and shifts, labels.
  @Test func theGradientIsTheSlope() throws {
    let test = try Case("unet_tiny_cls")
    let target = try test.golden.input("out") * 0.5
    func loss(_ model: UNet2DModel) throws -> Tensor {
      (try test.estimate(model) - target).squared().mean()
    }
    let (_, gradient) = try valueWithGradient(at: test.model) { try loss($0) }
    for part in ["", "time_emb_proj", "class_embedding", "norm2", "to_q"] {
      let direction = try Direction(gradient, part: part)
      #expect(direction.norm > 0)
      let step = 1e-2 / direction.norm
      let losses = try [step, -step].map {
        try Double(loss(direction.moved(test.model, by: Float($0))).scalars[0])
      }
      let slope = (losses[0] - losses[1]) / (2 * step)
      #expect(abs(slope / (direction.norm * direction.norm) - 1) < 0.02, "\(part)")
    }
  }

  /// The derivatives with respect to the parameters whose names contain a text.
  private struct Direction: ParameterVisitor {
    private var gradient = Gradient()
    private var step: Float = 0
    var norm: Double { gradient.norm }

    init(_ gradient: Gradient, part: String) throws {
      for path in gradient.paths where part.isEmpty || path.description.contains(part) {
        self.gradient[path] = gradient[path]
      }
    }

    func moved(_ model: UNet2DModel, by step: Float) throws -> UNet2DModel {
      var (mover, moved) = (self, model)
      mover.step = step
      try moved.visitParameters(at: .root, with: &mover)
      return moved
    }

    mutating func visit(
      _ parameter: inout Tensor, at path: ParameterPath, layout: ParameterLayout
    ) {
      guard let direction = gradient[path] else { return }
      parameter = parameter + direction * step
    }
  }

  @Test(arguments: names)
  func theNumberOfThreadsDoesNotMatter(_ name: String) throws {
    let test = try Case(name)
    let results = try [1, 2, 3].map { count in
      try ThreadPool.$current.withValue(ThreadPool(threadCount: count)) {
        let (value, gradient) = try valueWithGradient(at: test.model) {
          try test.estimate($0).squared().mean()
        }
        return [try test.estimate(test.model).scalars, value.scalars]
          + gradient.paths.map { gradient[$0]?.scalars ?? [] }
      }
    }
    #expect(results.allSatisfy { $0 == results[0] })
  }

  @Test func theImagesOfABatchDoNotKnowOfEachOther() throws {
    let test = try Case("unet_tiny_cls")
    let x = try test.golden.input("x")
    let both = try test.estimate(test.model)
    for image in 0..<2 {
      let alone = test.model(
        x.images(image..<image + 1), timesteps: [test.timesteps[image]],
        labels: test.labels.map { [$0[image]] })
      #expect(relativeError(alone, both.images(image..<image + 1)) < 1e-6)
    }
    let one = test.model(x, timesteps: [10], labels: test.labels)
    let repeated = test.model(x, timesteps: [10, 10], labels: test.labels)
    #expect(one.scalars == repeated.scalars)
  }

  @Test(arguments: names)
  func whatIsWrittenIsReadAgain(_ name: String) throws {
    let model = try Case(name).model
    let fields = try ConfigurationFields(
      parsing: Array(model.configurationJSON().utf8), source: "written")
    #expect(try UNet2DModel.Configuration(fields) == model.configuration)
    let original = try ConfigurationFields(
      contentsOf: SharedFiles.url("golden/\(name)/config.json"))
    for member in fields.values.members where member.key != "_class_name" {
      if let number = original.values[member.key]?.double {
        #expect(member.value.float == Float(number), "\(member.key)")
      } else {
        #expect(member.value == original.values[member.key], "\(member.key)")
      }
    }
  }
}

struct UNet2DModelConfigurationTests {
  private func configuration(_ fields: JSONObject) throws -> UNet2DModel.Configuration {
    try UNet2DModel.Configuration(ConfigurationFields(fields, source: "test"))
  }

  @Test func anEmptyConfigurationIsThatOfDiffusers() throws {
    #expect(try configuration([:]) == UNet2DModel.Configuration())
    #expect(try configuration(["attention_head_dim": .null]).attentionHeadDim == nil)
    #expect(
      try configuration(["sample_size": .array([.number("8"), .number("9")])]).sampleSize == [8, 9])
    #expect(try !configuration(["mid_block_type": .null]).hasMidBlock)
  }

  @Test(arguments: [
    ("time_embedding_type", JSONValue.string("fourier")), ("class_embed_type", .string("timestep")),
    ("class_embed_type", .string("identity")), ("downsample_type", .string("resnet")),
    ("upsample_type", .string("resnet")), ("act_fn", .string("gelu")),
    ("mid_block_type", .string("UNetMidBlock2DCrossAttn")), ("norm_num_groups", .null),
    ("mid_block_scale_factor", .number("2")), ("resnet_time_scale_shift", .string("spatial")),
    ("downsample_padding", .number("2")), ("norm_num_groups", .number("31")),
    ("attention_head_dim", .number("9")), ("attn_norm_num_groups", .number("5")),
    ("freq_shift", .number("112")), ("layers_per_block", .number("0")),
    ("down_block_types", .array([.string("AttnDownBlock2D")])),
    (
      "down_block_types",
      .array((0..<4).map { .string($0 == 2 ? "SkipDownBlock2D" : "DownBlock2D") })
    ),
    ("up_block_types", .array((0..<4).map { .string($0 == 2 ? "SkipUpBlock2D" : "UpBlock2D") })),
    ("block_out_channels", .array([])),
    ("num_class_embeds", .number("0")),
  ])
  func whatIsNotSupportedIsRefusedByItsKey(_ key: String, _ value: JSONValue) {
    let error = #expect(throws: CheckpointError.self) { try configuration([key: value]) }
    let text = error?.description ?? ""
    let isNamed = text.contains(key) || text.contains("a size of 0")
    #expect(isNamed, "\(text)")
  }

  @Test func aMiddleWithoutBlocksOrAttentionIsBuilt() throws {
    var configuration = UNet2DModel.Configuration()
    configuration.inChannels = 2
    configuration.outChannels = 2
    configuration.blockOutChannels = [8, 16]
    configuration.downBlockTypes = ["DownBlock2D", "DownBlock2D"]
    configuration.upBlockTypes = ["UpBlock2D", "UpBlock2D"]
    configuration.normNumGroups = 4
    configuration.layersPerBlock = 1
    configuration.centerInputSample = true
    configuration.addAttention = false
    for hasMidBlock in [true, false] {
      configuration.hasMidBlock = hasMidBlock
      var model = UNet2DModel(configuration)
      var random = PhiloxRandomSource(seed: 1)
      model.randomize(using: &random)
      let x = sampleTensor([1, 6, 10, 2])
      let estimate = model(x, timesteps: [3.5])
      #expect(estimate.shape == x.shape && estimate.isFinite)
      #expect(model.midBlock?.attentions.isEmpty ?? true)
    }
  }
}
