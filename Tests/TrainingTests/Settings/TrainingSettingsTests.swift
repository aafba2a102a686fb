import Foundation
import Layers
import Models
import Tensors
import TestSupport
import Testing
import Training

@Suite struct TrainingSettingsTests {
  private func settings(_ json: String) throws -> TrainingSettings {
    try TrainingSettings(decoding: Array(json.utf8), source: "run.json")
  }

  private func problem(_ json: String) throws -> TrainingSettingsError.Problem {
    let error = #expect(throws: TrainingSettingsError.self) { try settings(json) }
    return try #require(error).problem
  }

  @Test func nothingMeansTheDefaults() throws {
    #expect(try settings("{}") == TrainingSettings())
  }

  @Test func theTextReadsBackToTheSameSettings() throws {
    #expect(try settings(TrainingSettings().text) == TrainingSettings())
    var changed = TrainingSettings()
    changed.model = .folder("models/mine")
    changed.bottleneck.kind = .fsq
    changed.bottleneck.fsqLevels = [3, 5]
    changed.data.scale = 0.5...1.25
    changed.data.flips = false
    changed.objective.reconstruction = .gaussian
    changed.objective.klWeight = 1e-7 / 3
    changed.objective.perceptualWeight = 0.1
    changed.objective.perceptualNetwork = "vgg \"16\".safetensors"
    changed.optimizer.beta2 = 0.95
    changed.train.seed = .max
    changed.train.frozen = ["encoder.*", "*.bias"]
    #expect(try settings(changed.text) == changed)
    changed.model = .architecture([
      "_class_name": .string("AutoencoderTiny"), "latent_channels": JSONValue(8),
    ])
    #expect(try settings(changed.text) == changed)
    changed.model = .builtIn("photo")
    #expect(try settings(changed.text) == changed && changed.text.contains("\"builtin:photo\""))
  }

  @Test func aModelThatIsNotThereIsRefusedWithThoseThatAre() throws {
    for name in ["builtin:nosuch", "photos"] {
      let problem = try problem("{\"model\": \"\(name)\"}")
      #expect("\(problem)".contains("builtin:photo"), "\(problem)")
    }
  }

  @Test func everySettingIsWrittenAndCanBeRead() throws {
    let text = TrainingSettings().text
    #expect(text.contains("  \"optimizer\": {\n    \"learning_rate\": 0.0005,\n"))
    // Each one alone, with its own default, is accepted.
    for group in TrainingSettings().values.members {
      guard case .object(let fields) = group.value else { continue }
      for field in fields.members {
        let alone: JSONObject = [group.key: .object([field.key: field.value])]
        #expect(try TrainingSettings(alone, source: "x") == TrainingSettings())
      }
    }
  }

  @Test func unknownKeysAreRefusedWithTheNearestOne() throws {
    #expect(
      try problem(#"{"optimizer": {"learning_rat": 1}}"#)
        == .unknownKey(
          path: "optimizer.learning_rat", nearest: "optimizer.learning_rate",
          known: [
            "learning_rate", "betas", "epsilon", "weight_decay", "decay_norms_and_biases",
            "warm_up_steps", "schedule", "floor", "clip_norm", "accumulation", "ema_decay",
          ]))
    guard case .unknownKey("xyzzy", nil, let known) = try problem(#"{"xyzzy": 1}"#) else {
      Issue.record("another problem")
      return
    }
    #expect(known == ["model", "bottleneck", "data", "objective", "optimizer", "train"])
    let error = #expect(throws: TrainingSettingsError.self) { try settings(#"{"trian": {}}"#) }
    #expect(
      error?.description == "run.json: there is no setting trian; did you mean train?")
  }

  @Test(arguments: [
    (#"{"data": 3}"#, "data", "an object", "3"),
    (#"{"data": {"crop": 4}}"#, "data.crop", "a whole number in 8…4096", "4"),
    (#"{"data": {"crop": 64.0}}"#, "data.crop", "a whole number in 8…4096", "64.0"),
    (#"{"data": {"crop": null}}"#, "data.crop", "a whole number in 8…4096", "null"),
    (#"{"data": {"flips": 1}}"#, "data.flips", "true or false", "1"),
    (
      #"{"data": {"scale": [2, 1]}}"#, "data.scale",
      "a list of two numbers in 0.01…100, the second not below the first", "[2,1]"
    ),
    (#"{"optimizer": {"learning_rate": 0}}"#, "optimizer.learning_rate", "a number above 0", "0"),
    (
      #"{"optimizer": {"betas": [0.9, 1]}}"#, "optimizer.betas",
      "a list of two numbers from 0 and below 1", "[0.9,1]"
    ),
    (
      #"{"objective": {"reconstruction": "L1"}}"#, "objective.reconstruction",
      #"one of "mse", "gaussian", "l1", "laplace", "huber""#, #""L1""#
    ),
    (#"{"train": {"frozen": ["a", 1]}}"#, "train.frozen", "a list of strings", #"["a",1]"#),
    (#"{"train": {"seed": -1}}"#, "train.seed", "a whole number from 0", "-1"),
    (
      #"{"model": {"_class_name": "AutoencoderKL", "latent_channels": "4"}}"#,
      "model.latent_channels", "an integer", "a string"
    ),
  ])
  func wrongValuesAreRefused(
    json: String, path: String, expected: String, found: String
  ) throws {
    #expect(try problem(json) == .value(path: path, expected: expected, found: found))
  }

  @Test func architecturesAreCheckedInFull() throws {
    let unknown = try problem(
      #"{"model": {"_class_name": "AutoencoderKL", "block_out_chanels": [8]}}"#)
    guard case .unknownKey(_, "model.block_out_channels", _) = unknown else {
      Issue.record("\(unknown)")
      return
    }
    let unbuildable = try problem(
      #"{"model": {"_class_name": "AutoencoderKL", "block_out_channels": [30]}}"#)
    guard case .conflict("model", let reason) = unbuildable else {
      Issue.record("\(unbuildable)")
      return
    }
    #expect(reason.contains("norm_num_groups"))
    #expect(throws: TrainingSettingsError.self) { try settings(#"{"model": "photos"}"#) }
    #expect(throws: TrainingSettingsError.self) { try settings(#"{"model": {}}"#) }
    for preset in AutoencoderPreset.allCases {
      let json =
        switch try ModelChoice.preset(preset).architecture() {
        case .kl(let configuration)?: try AutoencoderKL(configuration).configurationJSON()
        case .compact(let configuration)?:
          try AutoencoderCompact(configuration).configurationJSON()
        default: "\(preset) has no architecture"
        }
      // What is written as JSON must be buildable, too.
      let read = try settings("{\"model\": \(json)}")
      #expect(try read.model.architecture() == ModelChoice.preset(preset).architecture())
    }
  }

  @Test func valuesThatDoNotGoTogetherAreRefused() throws {
    for json in [
      #"{"objective": {"perceptual_weight": 1}}"#, #"{"objective": {"kl_warm_up": "linear"}}"#,
      #"{"objective": {"ms_ssim_weight": 1}}"#,
      #"{"objective": {"adversarial_weight": 1}, "data": {"crop": 16}}"#,
    ] {
      guard case .conflict = try problem(json) else {
        Issue.record("\(json) was taken")
        continue
      }
    }
  }

  @Test func settingsThatCannotBeReadAreStillWritten() {
    var settings = TrainingSettings()
    settings.objective.perceptualWeight = 1
    settings.model = .architecture([:])
    #expect(settings.text.contains("\"perceptual_weight\": 1,"))
    #expect(settings.text.contains("\"model\": {},"))
    #expect(settings.values.members.count == 6)
  }

  @Test func everyPrefixOfAGoodFileIsRefused() throws {
    let bytes = Array(TrainingSettings().text.utf8)
    for count in 0..<bytes.count - 1 {
      #expect(throws: TrainingSettingsError.self) {
        try TrainingSettings(decoding: Array(bytes[..<count]), source: "x")
      }
    }
    #expect(throws: TrainingSettingsError.self) {
      try TrainingSettings(contentsOf: URL(filePath: "/nowhere.json"))
    }
  }

  @Test func oneSettingIsReplaced() throws {
    let settings = try TrainingSettings().replacing("optimizer.learning_rate", with: "1e-3")
    #expect(settings.optimizer.learningRate == 1e-3)
    #expect(try settings.replacing("model", with: "tiny").model == .preset(.tiny))
    #expect(try settings.replacing("model", with: "./mine").optimizer.learningRate == 1e-3)
    for (path, text) in [("optimizer.lr", "1"), ("data", "1"), ("", "1"), ("data..crop", "64")] {
      #expect(throws: TrainingSettingsError.self) { try settings.replacing(path, with: text) }
    }
  }

  @Test func whatMayNotChangeIsNamed() throws {
    let old = TrainingSettings()
    var new = old
    (new.train.steps, new.train.threads, new.data.cacheMiB) = (1, 7, 5)
    #expect(new.differences(from: old) == [])
    new.optimizer.learningRate = 0.001
    new.model = .preset(.tiny)
    #expect(
      new.differences(from: old) == [
        "model is \"tiny\", and was \"photo\"", "optimizer.learning_rate is 0.001, and was 0.0005",
      ])
  }

  @Test func frozenParametersAreFoundByName() {
    var run = RunSettings()
    #expect(!run.isFrozen(ParameterPath("encoder.conv_in.weight")))
    run.decoderOnly = true
    #expect(run.isFrozen(ParameterPath("encoder.conv_in.weight")))
    #expect(!run.isFrozen(ParameterPath("decoder.conv_in.weight")))
    run.frozen = ["decoder.*.bias", "post_quant_conv.*"]
    #expect(run.isFrozen(ParameterPath("decoder.conv_in.bias")))
    #expect(!run.isFrozen(ParameterPath("decoder.conv_in.weight")))
    #expect(run.isFrozen(ParameterPath("post_quant_conv.weight")))
  }

  @Test func theWeightOfTheDivergenceRises() {
    var objective = ObjectiveSettings()
    objective.klWeight = 2
    #expect(objective.klWeight(atStep: 0) == 2)
    (objective.klWarmUp, objective.klWarmUpSteps) = (.linear, 10)
    #expect([0, 5, 10, 99].map { objective.klWeight(atStep: $0) } == [0, 1, 2, 2])
    objective.klWarmUp = .cyclical
    #expect([0, 3, 5, 9, 10].map { objective.klWeight(atStep: $0) } == [0, 1.2, 2, 2, 0])
  }
}
