import Foundation
import Images
import Pipelines
import TestSupport
import Testing
import Training

@Suite struct TrainCommandTests {
  let work: Workspace
  let train: TrainingRuns

  init() throws {
    work = try Workspace()
    for number in 0..<6 {
      try work.add("data/\(number).png", samplePicture(24, 20, seed: UInt64(number)))
    }
    train = try TrainingRuns(
      work, "train", "data", settings: TrainingRuns.autoencoderSettings,
      weightsName: "diffusion_pytorch_model.safetensors")
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

  @Test func twoRunsAndOtherThreadsGiveTheSameBits() throws { try train.expectTheSameBits() }

  @Test func aKilledRunGoesOnToTheSameBits() throws { try train.expectToSurviveKills() }

  @Test func anInterruptedRunWritesACheckpoint() throws {
    let (process, result) = try train.start("model", ["--steps", "100000"])
    while process.isRunning, try train.lines("model") < 2 { usleep(2000) }
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
    try train.expectRefusal(of: arguments, status: status, message)
  }

  @Test func otherSettingsThanTheRunsAreNamed() throws {
    #expect(try train("model", "--steps", "3").status == 0)
    let run = try train("model", "--steps", "6", "--learning-rate", "1")
    #expect(run.status == 3 && run.errors.contains("optimizer.learning_rate is 1"))
    // Without a file the run's own settings hold.
    #expect(try work.lvae("train", "data", "-o", "model", "--steps", "4").status == 0)
  }

  @Test func theHelpExplainsEachSetting() throws { try train.expectHelp(of: TrainingSettings()) }
}
