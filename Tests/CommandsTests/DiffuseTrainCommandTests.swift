import Foundation
import Images
import Pipelines
import TestSupport
import Testing
import Training

@Suite struct DiffuseTrainCommandTests {
  let work: Workspace

  init() throws {
    work = try Workspace()
    for (place, name) in ["cat", "dog"].enumerated() {
      for number in 0..<5 {
        try work.add(
          "pictures/\(name)/\(number).png",
          samplePicture(40, 36, seed: UInt64(10 * place + number)))
      }
    }
    let encoding = try work.lvae(
      "encode", "pictures", "-o", "latents", "--model", "kl", "--size", "32x32", "--posterior",
      "moments")
    #expect(encoding.status == 0, "\(encoding.errors)")
    try work.write(Array(Self.settings.utf8), to: "run.json")
  }

  private static let settings = """
    {
      "model": {
        "_class_name": "UNet2DModel", "block_out_channels": [8, 16],
        "down_block_types": ["DownBlock2D", "AttnDownBlock2D"],
        "up_block_types": ["AttnUpBlock2D", "UpBlock2D"],
        "layers_per_block": 1, "norm_num_groups": 4
      },
      "autoencoder": "./kl",
      "data": {"batch_size": 4, "validation_fraction": 0.2},
      "sampling": {"steps": 2},
      "optimizer": {"warm_up_steps": 2},
      "train": {
        "steps": 40, "log_every": 1, "checkpoint_every": 3, "validate_every": 10,
        "sample_every": 20, "sample_count": 2
      }
    }
    """

  private func train(_ model: String, _ more: String...) throws -> Run {
    try work.start(["diffuse-train", "latents", "-o", model, "--config", "run.json"] + more)
      .result()
  }

  private func weights(_ model: String) throws -> [UInt8] {
    try work.bytes("\(model)/unet/diffusion_pytorch_model.safetensors")
  }

  @Test func picturesBecomeAModel() throws {
    let run = try train("model", "--steps", "4", "--json")
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.records.compactMap { $0["loss"] }.count == 4)
    #expect(run.errors.contains("10 latents of 4×8×8 in 2 classes: cat 5, dog 5"))
    let model = try LatentDiffusionModel(contentsOf: work.url("model"))
    #expect(model.classNames == ["cat", "dog"])
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
        ["diffuse-train", "latents", "-o", "model", "--config", "run.json"])
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

  @Test func shardsAndFoldersTrainTogether() throws {
    let packing = try work.bash(
      "mkdir mixed && tar -cf mixed/0.tar -C latents cat && cp -r latents/dog mixed")
    #expect(packing.status == 0, "\(packing.errors)")
    let run = try work.lvae(
      "diffuse-train", "mixed", "-o", "model", "--config", "run.json", "--steps", "2")
    #expect(run.status == 0 && run.errors.contains("cat 5, dog 5"), "\(run.errors)")
    let both = try work.lvae(
      "diffuse-train", "mixed/0.tar", "latents/dog", "-o", "both", "--config", "run.json",
      "--steps", "2", "--labels", "none")
    #expect(both.status == 0 && both.errors.contains("without classes"), "\(both.errors)")
  }

  @Test(arguments: [
    (["--set", "noise.predictio=v"], 2, "did you mean noise.prediction?"),
    (["--steps", "0"], 2, "train.steps should be"),
    (["--preset", "tiny", "--model", "kl"], 2, "--preset is for a new denoiser"),
    (["--model", "nosuch"], 3, "nosuch"),
    (["--labels", "nosuch.csv"], 3, "nosuch.csv"),
    (["--set", "autoencoder=./taesd"], 3, "made with the model"),
  ])
  func whatCannotBeTrainedIsToldFirst(
    _ arguments: [String], _ status: Int32, _ message: String
  ) throws {
    let run = try work.start(
      ["diffuse-train", "latents", "-o", "model", "--config", "run.json"] + arguments
    ).result()
    #expect(run.status == status && run.errors.contains(message), "\(run.status) \(run.errors)")
    #expect(!work.exists("model/settings.json"))
  }

  @Test func latentsOfAnotherSizeAreRefusedWithBothNames() throws {
    #expect(
      try work.lvae(
        "encode", "pictures/cat", "-o", "latents/more", "--model", "kl", "--size", "16x16"
      ).status == 0)
    let run = try train("model")
    #expect(run.status == 3)
    #expect(
      run.errors.contains("latents/more/0.latent: its size") && run.errors.contains("cat/0.latent"),
      "\(run.errors)")
  }

  @Test func theHelpExplainsEachSetting() throws {
    let help = try work.lvae("diffuse-train", "--help").output
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
    let text = DiffusionSettings().text
    check(
      try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]), "")
  }
}
