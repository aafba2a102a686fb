import Foundation
import TestSupport
import Testing
import Training

/// Runs of `lvae train` or `lvae diffuse-train` in a workspace, and what both commands keep to.
struct TrainingRuns {
  let work: Workspace
  /// The command and its data.
  let command: [String]
  /// Where the trained weights stand in a model's folder.
  let weightsName: String

  /// Runs of a command with the settings of a file `run.json`.
  init(_ work: Workspace, _ command: String..., settings: JSON, weightsName: String) throws {
    (self.work, self.command, self.weightsName) = (work, command, weightsName)
    try settings.write(to: work.url("run.json"))
  }

  /// Settings that tests change some of.
  struct JSON {
    let object: [String: Any]

    /// The settings with those of some groups replaced.
    func replacing(_ changes: [String: [String: Any]]) -> JSON {
      var object = object
      for (group, values) in changes {
        let old = object[group] as? [String: Any] ?? [:]
        object[group] = old.merging(values) { $1 }
      }
      return JSON(object: object)
    }

    func write(to url: URL) throws {
      try JSONSerialization.data(withJSONObject: object).write(to: url)
    }
  }

  /// 40 steps of a tiny autoencoder.
  static var autoencoderSettings: JSON {
    JSON(object: [
      "model": [
        "_class_name": "AutoencoderKL", "block_out_channels": [8, 16],
        "down_block_types": ["DownEncoderBlock2D", "DownEncoderBlock2D"],
        "up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D"],
        "norm_num_groups": 4, "latent_channels": 2, "scaling_factor": 1,
      ],
      "data": ["crop": 16, "batch_size": 2, "validation_fraction": 0.3],
      "optimizer": ["warm_up_steps": 2],
      "train": [
        "steps": 40, "log_every": 1, "checkpoint_every": 3, "validate_every": 10,
        "sample_every": 20,
      ],
    ])
  }

  /// 40 steps of a tiny denoiser of latents that the workspace's `kl` made.
  static var denoiserSettings: JSON {
    JSON(object: [
      "model": [
        "_class_name": "UNet2DModel", "block_out_channels": [8, 16],
        "down_block_types": ["DownBlock2D", "AttnDownBlock2D"],
        "up_block_types": ["AttnUpBlock2D", "UpBlock2D"],
        "layers_per_block": 1, "norm_num_groups": 4,
      ],
      "autoencoder": "./kl",
      "data": ["batch_size": 4, "validation_fraction": 0.2],
      "sampling": ["steps": 2],
      "optimizer": ["warm_up_steps": 2],
      "train": [
        "steps": 40, "log_every": 1, "checkpoint_every": 3, "validate_every": 10,
        "sample_every": 20, "sample_count": 2,
      ],
    ])
  }

  // MARK: Running

  func callAsFunction(_ model: String, _ more: String...) throws -> Run {
    try start(model, more).result()
  }

  func start(
    _ model: String, _ more: [String] = []
  ) throws -> (process: Process, result: () throws -> Run) {
    try work.start(command + ["-o", model, "--config", "run.json"] + more)
  }

  func weights(_ model: String) throws -> [UInt8] {
    try work.bytes("\(model)/\(weightsName)")
  }

  /// How many lines the log of a run has so far.
  func lines(_ model: String) throws -> Int {
    guard work.exists("\(model)/training/log.jsonl") else { return 0 }
    return try work.bytes("\(model)/training/log.jsonl").count { $0 == UInt8(ascii: "\n") }
  }

  // MARK: What both commands keep to

  /// Seed and data alone decide on the bits.
  func expectTheSameBits() throws {
    for (name, threads) in [("one", "1"), ("same", "1"), ("two", "2")] {
      #expect(try self(name, "--steps", "5", "--threads", threads).status == 0)
    }
    #expect(try weights("one") == weights("same"))
    #expect(try weights("one") == weights("two"))
    #expect(try self("other", "--steps", "5", "--seed", "1").status == 0)
    #expect(try weights("one") != weights("other"))
  }

  /// A run that is killed again and again goes on to the bits of one that isn't.
  func expectToSurviveKills() throws {
    #expect(try self("whole").status == 0)
    var random = SystemRandomNumberGenerator()
    var kills = 0
    for _ in 0..<3 {
      let (process, result) = try start("model")
      let step = Int.random(in: 1...30, using: &random)
      while process.isRunning, try lines("model") < step { usleep(2000) }
      kill(process.processIdentifier, SIGKILL)
      kills += try result().status == 128 + SIGKILL ? 1 : 0
    }
    #expect(kills > 0)
    let run = try self("model")
    #expect(run.status == 0, "\(run.errors)")
    #expect(try weights("model") == weights("whole"))
    let steps = try TrainingLog.read(path: work("model/training/log.jsonl"))
      .filter { $0["loss"] != nil }.map(\.step)
    #expect(steps == Array(1...40))
  }

  /// What can't be trained is told before anything is written.
  func expectRefusal(of arguments: [String], status: Int32, _ message: String) throws {
    let run = try start("model", arguments).result()
    #expect(run.status == status && run.errors.contains(message), "\(run.status) \(run.errors)")
    #expect(!work.exists("model/settings.json"))
  }

  /// The help names every setting of these.
  func expectHelp(of settings: some RunConfiguration) throws {
    let help = try work.lvae(command[0], "--help").output
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
    let object = try JSONSerialization.jsonObject(with: Data(settings.text.utf8))
    check(try #require(object as? [String: Any]), "")
  }
}
