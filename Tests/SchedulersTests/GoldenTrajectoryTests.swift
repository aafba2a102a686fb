import Foundation
import Schedulers
import Tensors
import TestSupport
import Testing

/// Against the files of `golden/schedulers`; tolerances are those of `golden/README.md`.
@Suite(.enabled(if: SharedFiles.exist, Comment(rawValue: SharedFiles.absence)))
struct GoldenTrajectoryTests {
  static let names: [String] = {
    let folder = SharedFiles.url("golden/schedulers").path
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return files.filter { $0.hasSuffix(".json") }.sorted()
  }()

  private func trajectory(_ name: String) throws -> Trajectory {
    let bytes = [UInt8](try Data(contentsOf: SharedFiles.url("golden/schedulers/\(name)")))
    return try Trajectory(JSONParser.parse(bytes))
  }

  @Test func thereAreAllOfThem() {
    #expect(Self.names.count == 22)
  }

  @Test(arguments: names) func theNoiseScheduleIsDiffusers(_ name: String) throws {
    let golden = try trajectory(name)
    guard let alphas = golden.numbers("alphas_cumprod"), let betas = golden.numbers("betas") else {
      #expect(name.hasPrefix("flow"))
      return
    }
    var schedule = try golden.configuration.noiseSchedule()
    #expect(relativeError(schedule.alphasCumprod, alphas) < 1e-6)
    // Those of a rescaled schedule come from quotients of float32 numbers.
    #expect(relativeError(schedule.betas, betas) < 1e-5)
    schedule = NoiseSchedule(betas: betas)
    #expect(relativeError(schedule.alphasCumprod, alphas) < 1e-6)
  }

  @Test(arguments: names) func theLevelsAreDiffusers(_ name: String) throws {
    let golden = try trajectory(name)
    let sampling = try golden.scheduler().start(steps: golden.steps)
    let timesteps = try #require(golden.numbers("timesteps"))
    #expect(relativeError(sampling.steps.map(\.timestep), timesteps) < 1e-5)
    let start = try #require(golden.fields["init_noise_sigma"]?.double)
    #expect(abs(Double(sampling.initialNoiseSigma) - start) < 1e-5 * start)
    if let sigmas = golden.numbers("sigmas") {
      let isFlow = try golden.configuration.className == .flowMatchEuler
      let found = sampling.steps.map(\.level) + [sampling.steps[sampling.steps.count - 1].next]
      #expect(relativeError(found.map { isFlow ? $0.noise : $0.sigma }, sigmas) < 1e-5)
    }
  }

  @Test(arguments: names) func theTrajectoryIsDiffusers(_ name: String) throws {
    // Its previous timesteps aren't on the schedule: see the test below.
    guard name != "ddim_linspace.json" else { return }
    let golden = try trajectory(name)
    let (_, samples, originals) = try golden.sampled()
    let configuration = try golden.configuration
    let isStrict = golden.steps < 20 && (configuration.clipSample || !name.hasPrefix("dd"))
    let tolerance: Float = isStrict ? 1e-5 : 1e-4
    let error = trajectoryError(samples, golden.rows("trajectory"))
    #expect(error < tolerance)
    let expected = golden.rows("pred_original_sample")
    if !expected.isEmpty { #expect(trajectoryError(originals, expected) < tolerance) }
  }

  /// diffusers takes t − ⌊T/N⌋ for the previous timestep, which `linspace` doesn't go to: each of its
  /// steps is one of ours between the same two timesteps.
  @Test func theStepsOffTheScheduleAreDiffusersOneByOne() throws {
    let golden = try trajectory("ddim_linspace.json")
    let scheduler = try DDIMScheduler(golden.configuration)
    let expected = golden.rows("trajectory")
    let timesteps = try #require(golden.numbers("timesteps")).map { Int($0) }
    var x = golden.numbers("x_init").map { $0.map { Float($0) } } ?? []
    var samples: [[Float]] = []
    for timestep in timesteps {
      let previous = timestep - 1000 / golden.steps
      var sampling = try scheduler.start(timesteps: [timestep] + (previous >= 0 ? [previous] : []))
      let sample = Tensor(x, shape: [1, 4, 4, 1])
      let output = golden.denoiser(sample, Double(timestep))
      let result = sampling.step(output, at: sampling.steps[0], sample: sample) {
        Tensor(zeros: [1])
      }
      x = result.previousSample.scalars
      samples.append(x)
    }
    #expect(trajectoryError(samples, expected) < 1e-4)
    #expect(try trajectoryError(golden.sampled().samples, expected) > 1e-2)
  }

  @Test(arguments: names.filter { $0.hasPrefix("dd") })
  func noiseAndVelocityAreDiffusers(_ name: String) throws {
    let golden = try trajectory(name)
    guard case .object(let values)? = golden.fields["add_noise"] else {
      Issue.record("\(name) has no add_noise")
      return
    }
    func tensor(_ key: String) throws -> Tensor {
      guard case .array(let numbers)? = values[key] else { throw ReferenceError(description: key) }
      return Tensor(numbers.compactMap(\.float), shape: [3, 4])
    }
    let schedule = try golden.configuration.noiseSchedule()
    let (original, noise) = (try tensor("x0"), try tensor("noise"))
    let timesteps = [0, 400, 999]
    let noisy = schedule.addNoise(to: original, noise: noise, timesteps: timesteps)
    #expect(relativeError(noisy, try tensor("out")) < 1e-5)
    let velocity = PredictionType.velocity.target(
      original: original, noise: noise, levels: timesteps.map { schedule.level(at: $0) })
    #expect(relativeError(velocity, try tensor("velocity")) < 1e-5)
  }
}
