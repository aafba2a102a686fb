import Foundation
import Models
import Pipelines
import Tensors
import TestSupport
import Testing

@Suite struct BenchCommandTests {
  let work: Workspace

  init() throws { work = try Workspace() }

  /// What others read: Scripts/compare, and whoever keeps figures.
  private static let jobKeys = [
    "job", "engine", "precision", "isa", "threads", "median_ms", "min_ms", "max_ms", "runs_ms",
    "ms_per_megapixel", "gflops", "peak_mb", "load_ms", "cpu_ms",
  ]

  @Test func aReportHasMachineLayersModelsAndStages() throws {
    let run = try work.lvae(
      "bench", "--json", "--model", "kl", "--size", "16", "--repeat", "2", "--threads", "1",
      "--layer", "3x3.64@64")
    #expect(run.status == 0, "\(run.errors)")
    let report = try #require(run.records.first)
    let machine = try #require(report["machine"] as? [String: Any])
    let peaks = try #require(machine["peak_gflops"] as? [String: Double])
    let isa = try #require(machine["isa"] as? String)
    #expect(try #require(peaks[isa]) > 0 && peaks["portable"] != nil)
    #expect(machine["threads"] as? Int == 1)
    let layers = try #require(report["layers"] as? [[String: Any]])
    #expect(layers.map { $0["layer"] as? String } == ["3x3.64@64"])
    for key in ["algorithm", "median_ms", "min_ms", "max_ms", "gflops", "percent_of_peak"] {
      #expect(layers[0][key] != nil, "\(key)")
    }
    let models = try #require(report["models"] as? [[String: Any]])
    #expect(models.map { $0["job"] as? String } == ["model-decode-16", "model-encode-16"])
    for key in Self.jobKeys + ["percent_of_peak"] {
      #expect(models.allSatisfy { $0[key] != nil }, "\(key)")
    }
    let stages = try #require(report["stages"] as? [[String: Any]])
    #expect(
      stages.compactMap { $0["stage"] as? String } == ["read", "compute", "pack", "write", "file"])
  }

  @Test func thePartsThatAreAskedForAreShown() throws {
    let run = try work.lvae(
      "bench", "--only", "models", "--model", "taesd", "--size", "16", "--repeat", "1")
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.output.contains("GFLOP/s") && run.output.contains("model-decode-16"))
    #expect(!run.output.contains("convolution layers") && !run.output.contains("stages"))
  }

  @Test func theBlocksOfTAESDComputeInTheirInputsMemory() throws {
    func peakBytes(side: Int) throws -> Double {
      let run = try work.lvae("bench", "--job", "taesd-encode-\(side)", "--repeat", "1", "--json")
      return try #require(run.records.first?["peak_mb"] as? Double) * 1e6
    }
    let more = try peakBytes(side: 1024) - peakBytes(side: 512)
    // 64 channels of 4 bytes are one feature map, which the encoder's memory grows with; not two.
    #expect(more / Double(1024 * 1024 - 512 * 512) < 1.75 * 256)
  }

  @Test func aJobComputesItsInput() throws {
    let model = try tinyAutoencoderTiny()
    var random = PhiloxRandomSource(seed: 3)
    let latent = Tensor.randomNormal(shape: [1, 4, 4, 4], using: &random)
    try work.write(Safetensors.encoded(tensors: [("input", latent)]), to: "in.safetensors")
    let run = try work.lvae(
      "bench", "--job", "any-decode-16", "--model", "taesd", "--input", "in.safetensors",
      "--output", "out.safetensors", "--repeat", "3", "--threads", "2", "--json")
    #expect(run.status == 0, "\(run.errors)")
    let row = try #require(run.records.first)
    for key in Self.jobKeys { #expect(row[key] != nil, "\(key)") }
    #expect((row["runs_ms"] as? [Double])?.count == 3)
    #expect(row["threads"] as? Int == 2)
    let output = try Safetensors(contentsOf: work.url("out.safetensors")).tensor(named: "output")
    let expected = model.autoencoder.decode(latent.channelsLast()).channelsFirst()
    #expect(output.shape == [1, 3, 16, 16])
    #expect(output.scalars == expected.scalars)
  }

  @Test func stepsOfTrainingLowerTheLossOfTheirBatch() throws {
    let run = try work.lvae(
      "bench", "--job", "train-kl-16-b2", "--model", "kl", "--output", "losses.safetensors",
      "--repeat", "4", "--json")
    #expect(run.status == 0, "\(run.errors)")
    let row = try #require(run.records.first)
    for key in Self.jobKeys { #expect(row[key] != nil, "\(key)") }
    let losses = try Safetensors(contentsOf: work.url("losses.safetensors"))
      .tensor(named: "output").scalars
    #expect(losses.count == 5)
    #expect(zip(losses, losses.dropFirst()).allSatisfy { $0 > $1 }, "\(losses)")
  }

  @Test(.enabled(if: SharedFiles.exist, Comment(rawValue: SharedFiles.absence)))
  func aDenoiserComputesItsInput() throws {
    let folder = SharedFiles.url("golden/unet_tiny").path
    var random = PhiloxRandomSource(seed: 3)
    let latents = Tensor.randomNormal(shape: [2, 4, 16, 16], using: &random)
    try work.write(Safetensors.encoded(tensors: [("input", latents)]), to: "in.safetensors")
    let run = try work.lvae(
      "bench", "--job", "unet-16-b2", "--model", folder, "--input", "in.safetensors",
      "--output", "out.safetensors", "--repeat", "2", "--json")
    #expect(run.status == 0, "\(run.errors)")
    let row = try #require(run.records.first)
    for key in Self.jobKeys { #expect(row[key] != nil, "\(key)") }
    let output = try Safetensors(contentsOf: work.url("out.safetensors")).tensor(named: "output")
    let model = try ImportedModel(contentsOf: URL(filePath: folder)).denoiser()
    let expected = model(latents.channelsLast(), timesteps: [7, 107], labels: nil)
    #expect(output.scalars == expected.channelsFirst().scalars)
    let training = try work.lvae(
      "bench", "--job", "train-unet-16-b2", "--model", folder, "--repeat", "1", "--json")
    #expect(training.status == 0, "\(training.errors)")
    #expect(training.records.first?["job"] as? String == "train-unet-16-b2")
    let autoencoder = try work.start(["bench", "--job", "unet-16-b1", "--model", "kl"]).result()
    #expect(autoencoder.status == 3 && autoencoder.errors.contains("is no denoiser"))
  }

  @Test func aJobIsMeasuredInLimitedMemory() throws {
    for job in ["any-encode-16", "any-decode-16"] {
      let run = try work.lvae(
        "bench", "--job", job, "--model", "kl", "--memory", "1GiB", "--attention", "windowed",
        "--repeat", "1", "--json")
      #expect(run.status == 0, "\(run.errors)")
      #expect(run.records.first?["job"] as? String == job)
    }
    let run = try work.lvae(
      "bench", "--job", "any-decode-16", "--model", "kl", "--memory", "1MiB", "--repeat", "1")
    #expect(run.status == 3 && run.errors.contains("raise --memory"), "\(run.errors)")
  }

  @Test(arguments: [
    (["--job", "decode"], "a name such as sd-decode-512"),
    (["--job", "vq-decode-16"], "no built-in architecture vq"),
    (["--job", "train-kl-64"], "train-kl-64-b16 or unet-32-b8"),
    (
      ["--job", "train-kl-16-b2", "--model", "kl", "--input", "in.safetensors"],
      "the shape 1×4×4×4, and the job needs 2×3×16×16"
    ),
    (["--job", "unet-18-b1"], "don't divide by the model's factor 4"),
    (["--job", "any-decode-18", "--model", "kl"], "don't divide by the model's factor 4"),
    (
      ["--job", "any-decode-32", "--model", "taesd", "--input", "in.safetensors"],
      "the shape 1×4×4×4, and the job needs 1×4×8×8"
    ),
    (["--memory", "1GiB"], "belong to a --job"),
    (["--job", "unet-16-b2", "--attention", "windowed"], "belong to a --job"),
    (["--job", "any-decode-16", "--memory", "1GiB", "--input", "x"], "keeps no result"),
    (["--input", "in.safetensors"], "belong to --job"), (["--repeat", "0"], "at least 1"),
    (["--threads", "0"], "from 1 to 1024"), (["--size", "2"], "from 8 to 65536"),
  ])
  func whatMakesNoSenseIsRefused(_ arguments: [String], _ message: String) throws {
    let latent = Tensor(zeros: [1, 4, 4, 4])
    try work.write(
      Safetensors.encoded(tensors: [("input", latent), ("noise", latent)]), to: "in.safetensors")
    let run = try work.start(["bench"] + arguments).result()
    #expect(run.status == 2)
    #expect(run.errors.contains(message), "\(run.errors)")
  }

  /// The part of Scripts/compare that needs none of the engines.
  @Test(
    .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/python3"), "no python3"))
  func theComparisonChecksItself() throws {
    let script = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../Scripts/compare.py").standardizedFileURL.path
    let output = try output(ofProgram: "/usr/bin/python3", ["-B", script, "--self-test"])
    #expect(String(decoding: output, as: UTF8.self) == "ok\n")
  }
}
