import Foundation
import Images
import Models
import Pipelines
import Tensors
import TestSupport
import Testing
import Training

@Suite struct DiffuseTrainCommandTests {
  let work: Workspace
  let train: TrainingRuns

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
    train = try TrainingRuns(
      work, "diffuse-train", "latents", settings: TrainingRuns.denoiserSettings,
      weightsName: "unet/diffusion_pytorch_model.safetensors")
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

  @Test func twoRunsAndOtherThreadsGiveTheSameBits() throws { try train.expectTheSameBits() }

  @Test func aKilledRunGoesOnToTheSameBits() throws { try train.expectToSurviveKills() }

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

  @Test func theProgramsDenoiserIsTrainedFurther() throws {
    let encoding = try work.lvae(
      "encode", "pictures", "-o", "small", "--model", "emoji", "--size", "32x32")
    #expect(encoding.status == 0, "\(encoding.errors)")
    func further() throws -> Run {
      try work.lvae(
        "diffuse-train", "small", "-o", "further", "--model", "emoji", "--batch-size", "2",
        "--steps", "1", "--learning-rate", "0.00001", "--set", "optimizer.warm_up_steps=0")
    }
    let refused = try further()
    #expect(refused.status == 3, "\(refused.errors)")
    #expect(refused.errors.contains("builtin:emoji") && refused.errors.contains("cat, dog"))
    for (old, new) in [("cat", "animal"), ("dog", "face")] {
      try FileManager.default.moveItem(
        at: work.url("small/\(old)"), to: work.url("small/\(new)"))
    }
    let run = try further()
    #expect(run.status == 0, "\(run.errors)")
    let model = try LatentDiffusionModel(contentsOf: work.url("further"))
    let original = try DiffusionModels.builtIn("emoji")
    #expect(model.classNames == original.classNames)
    // A step of AdamW moves a parameter by its rate, and the mean by less: no new network is so near.
    let pairs = zip(
      WeightCollector(model.denoiser).tensors, WeightCollector(original.denoiser).tensors)
    let distances = pairs.flatMap { pair in
      zip(pair.0.tensor.scalars, pair.1.tensor.scalars).map { abs($0 - $1) }
    }
    #expect(distances.allSatisfy { $0 < 2e-5 } && distances.contains { $0 > 0 })
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
    try train.expectRefusal(of: arguments, status: status, message)
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

  @Test func theHelpExplainsEachSetting() throws { try train.expectHelp(of: DiffusionSettings()) }
}
