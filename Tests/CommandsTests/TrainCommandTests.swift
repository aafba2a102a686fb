import Foundation
import Images
import Pipelines
import TestSupport
import Testing
import Training

@Suite struct TrainCommandTests {
  let work: Workspace

  init() throws {
    work = try Workspace()
    for number in 0..<6 {
      try work.add("data/\(number).png", samplePicture(24, 20, seed: UInt64(number)))
    }
    try work.write(Array(Self.settings.utf8), to: "run.json")
  }

  private static let settings = """
    {
      "model": {
        "_class_name": "AutoencoderKL", "block_out_channels": [8, 16],
        "down_block_types": ["DownEncoderBlock2D", "DownEncoderBlock2D"],
        "up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D"],
        "norm_num_groups": 4, "latent_channels": 2, "scaling_factor": 1
      },
      "data": {"crop": 16, "batch_size": 2, "validation_fraction": 0.3},
      "optimizer": {"warm_up_steps": 2},
      "train": {
        "steps": 40, "log_every": 1, "checkpoint_every": 3, "validate_every": 10, "sample_every": 20
      }
    }
    """

  private func train(_ model: String, _ more: String...) throws -> Run {
    try work.start(["train", "data", "-o", model, "--config", "run.json"] + more).result()
  }

  private func weights(_ model: String) throws -> [UInt8] {
    try work.bytes("\(model)/diffusion_pytorch_model.safetensors")
  }

  @Test func aTrainedModelEncodesAndDecodes() throws {
    let run = try train("model", "--steps", "4", "--json")
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.records.compactMap { $0["loss"] }.count == 4)
    // All settings are printed, and can be read back.
    let start = try #require(run.errors.firstIndex(of: "{"))
    let end = try #require(run.errors.range(of: "\n}\n"))
    let printed = String(run.errors[start..<end.upperBound])
    let settings = try TrainingSettings(decoding: Array(printed.utf8), source: "printed")
    #expect(settings.train.steps == 4 && settings.data.crop == 16)
    #expect(try work.bytes("model/settings.json") == Array(printed.utf8))
    #expect(try work.lvae("encode", "data", "-o", "latents", "--model", "model").status == 0)
    #expect(try work.lvae("decode", "latents", "-o", "back", "--model", "model").status == 0)
    #expect(try work.image("back/0.png").width == 24)
    let again = try train("model", "--steps", "4")
    #expect(again.status == 0 && again.errors.contains("model was finished before, after 4 steps"))
  }

  @Test func twoRunsAndOtherThreadsGiveTheSameBits() throws {
    for (name, threads) in [("one", "1"), ("same", "1"), ("two", "2")] {
      #expect(try train(name, "--steps", "5", "--threads", threads).status == 0)
    }
    #expect(try weights("one") == weights("same"))
    #expect(try weights("one") == weights("two"))
    #expect(try train("other", "--steps", "5", "--seed", "1").status == 0)
    #expect(try weights("one") != weights("other"))
  }

  @Test func aKilledRunGoesOnToTheSameBits() throws {
    #expect(try train("whole").status == 0)
    var random = SystemRandomNumberGenerator()
    var kills = 0
    for _ in 0..<3 {
      let (process, result) = try work.start(
        ["train", "data", "-o", "model", "--config", "run.json"])
      let step = Int.random(in: 1...30, using: &random)
      while process.isRunning, try lines("model") < step { usleep(2000) }
      kill(process.processIdentifier, SIGKILL)
      kills += try result().status == 128 + SIGKILL ? 1 : 0
    }
    #expect(kills > 0)
    let run = try train("model")
    #expect(run.status == 0, "\(run.errors)")
    #expect(try weights("model") == weights("whole"))
    let steps = try TrainingLog.read(path: work("model/training/log.jsonl"))
      .filter { $0["loss"] != nil }.map(\.step)
    #expect(steps == Array(1...40))
  }

  /// How many lines the log of a run has so far.
  private func lines(_ model: String) throws -> Int {
    guard work.exists("\(model)/training/log.jsonl") else { return 0 }
    return try work.bytes("\(model)/training/log.jsonl").count { $0 == UInt8(ascii: "\n") }
  }

  @Test func anInterruptedRunWritesACheckpoint() throws {
    let (process, result) = try work.start(
      ["train", "data", "-o", "model", "--config", "run.json", "--steps", "100000"])
    while process.isRunning, try lines("model") < 2 { usleep(2000) }
    process.interrupt()
    let run = try result()
    #expect(run.status == 130, "\(run.errors)")
    #expect(run.errors.contains("the same command goes on from there"))
    let step = try #require(run.errors.matches(of: /stopped after step (\d+)/).first?.output.1)
    #expect(
      work.files("model/training/checkpoints").contains { $0.hasSuffix("\(step).safetensors") })
    #expect(!work.exists("model/config.json"))
  }

  @Test func anAbsurdLearningRateStopsTheRun() throws {
    let run = try train(
      "model", "--learning-rate", "1e38", "--set", "optimizer.warm_up_steps=0", "--set",
      "optimizer.clip_norm=0", "--set", "train.checkpoint_every=1")
    #expect(run.status == 3)
    #expect(run.errors.contains("isn't finite any more") && run.errors.contains("step "))
    #expect(run.errors.contains("coder."), "\(run.errors)")
    #expect(!work.files("model/training/checkpoints").isEmpty)
  }

  @Test func aFullDiskLeavesTheLastCheckpoint() throws {
    #expect(try train("model", "--steps", "3").status == 0)
    let before = work.files("model/training/checkpoints")
    let run = try work.bash(
      "trap '' XFSZ; ulimit -f 20; $LVAE train data -o model --config run.json --steps 9")
    #expect(run.status == 3)
    #expect(run.errors.contains("cannot write") && run.errors.contains("checkpoints/step-"))
    #expect(work.files("model/training/checkpoints") == before)
    #expect(try train("model", "--steps", "9").status == 0)
  }

  @Test(arguments: [
    (["--set", "optimizer.learning_rat=1"], 2, "did you mean optimizer.learning_rate?"),
    (["--steps", "0"], 2, "train.steps should be a whole number in 1…1000000000"),
    (["--set", "steps"], 2, "key=value is expected"),
    (["--preset", "tiny", "--model", "kl"], 2, "--preset is for a new network"),
    (["--crop", "32"], 3, "6 of 6 pictures are too small for crops of 32×32"),
    (["--crop", "17"], 3, "isn't a multiple of the network's factor"),
    (["--model", "nosuch"], 3, "nosuch"),
    (
      [
        "--set", "objective.perceptual_weight=1", "--set",
        "objective.perceptual_network=nosuch.pth",
      ], 3, "nosuch.pth"
    ),
  ])
  func whatCannotBeTrainedIsToldFirst(
    _ arguments: [String], _ status: Int32, _ message: String
  ) throws {
    let run = try work.start(
      ["train", "data", "-o", "model", "--config", "run.json"] + arguments
    ).result()
    #expect(run.status == status && run.errors.contains(message), "\(run.status) \(run.errors)")
    #expect(!work.exists("model/settings.json"))
  }

  @Test func otherSettingsThanTheRunsAreNamed() throws {
    #expect(try train("model", "--steps", "3").status == 0)
    let run = try train("model", "--steps", "6", "--learning-rate", "1")
    #expect(run.status == 3 && run.errors.contains("optimizer.learning_rate is 1"))
    // Without a file the run's own settings hold.
    #expect(try work.lvae("train", "data", "-o", "model", "--steps", "4").status == 0)
  }

  @Test func theHelpExplainsEachSetting() throws {
    let help = try work.lvae("train", "--help").output
    func check(_ values: [String: Any], _ path: String) {
      for (key, value) in values {
        let place = path.isEmpty ? key : "\(path).\(key)"
        if let group = value as? [String: Any] {
          check(group, place)
        } else {
          #expect(help.contains("\(place) ["), "\(place)")
        }
      }
    }
    let text = TrainingSettings().text
    check(
      try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]), "")
  }
}
