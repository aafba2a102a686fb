import Schedulers
import Tensors
import TestSupport
import Testing

/// Against diffusers itself, for what the golden files don't have.
@Suite(
  .enabled(if: DiffusersReference.isAvailable, Comment(rawValue: DiffusersReference.absence)))
struct DiffusersTrajectoryTests {
  @Test(arguments: DiffusersReference.cases.indices)
  func trajectoriesAreDiffusers(_ index: Int) throws {
    let expected = try DiffusersReference.trajectories.get()[index]
    let (sampling, samples, originals) = try expected.sampled()
    let timesteps = try #require(expected.numbers("timesteps"))
    #expect(relativeError(sampling.steps.map(\.timestep), timesteps) < 1e-5)
    let start = try #require(expected.fields["init_noise_sigma"]?.double)
    #expect(abs(Double(sampling.initialNoiseSigma) - start) < 1e-5 * start)
    let error = trajectoryError(samples, expected.rows("trajectory"))
    #expect(error < 1e-4)
    let predictions = expected.rows("pred_original_sample")
    if !predictions.isEmpty { #expect(trajectoryError(originals, predictions) < 1e-4) }
  }

  @Test func defaultsAreDiffusers() throws {
    let names = SchedulerConfiguration.ClassName.allCases
    let found = try DiffusersReference.value(
      of: """
        print(json.dumps([getattr(diffusers, n)().to_json_string() for n in given]))
        """, .array(names.map { .string($0.rawValue) }))
    guard case .array(let texts) = found else {
      Issue.record("no list")
      return
    }
    for (name, text) in zip(names, texts) {
      guard case .string(let json) = text else { continue }
      let configuration = try SchedulerConfiguration(parsing: Array(json.utf8), source: "defaults")
      #expect(configuration == SchedulerConfiguration(name))
    }
    #expect(texts.count == names.count)
  }

  @Test func diffusersReadsWhatIsWritten() throws {
    var configurations = SchedulerConfiguration.ClassName.allCases.map {
      SchedulerConfiguration($0)
    }
    for index in configurations.indices {
      configurations[index].numTrainTimesteps = 500
      configurations[index].betaEnd = 0.0125
      configurations[index].solverOrder = 3
      configurations[index].sigmaSpacing = .karras
      configurations[index].stepsOffset = 1
      configurations[index].shift = 2.5
    }
    let found = try DiffusersReference.value(
      of: """
        read = []
        for config in given:
            scheduler = getattr(diffusers, config["_class_name"]).from_config(config)
            read.append(scheduler.to_json_string())
        print(json.dumps(read))
        """, .array(configurations.map { .object($0.json) }))
    guard case .array(let texts) = found else {
      Issue.record("no list")
      return
    }
    #expect(texts.count == configurations.count)
    for (configuration, text) in zip(configurations, texts) {
      guard case .string(let json) = text else { continue }
      let again = try SchedulerConfiguration(parsing: Array(json.utf8), source: "again")
      #expect(again.json == configuration.json)
      #expect(again.numTrainTimesteps == 500)
    }
  }

  @Test func preconditioningIsDiffusers() throws {
    let sigmas = [0.002, 0.3, 0.5, 7, 80]
    let found = try DiffusersReference.value(
      of: """
        s = diffusers.EDMEulerScheduler(sigma_data=0.5)
        x, f, out = torch.tensor([1.5]), torch.tensor([-0.7]), []
        for sigma in given:
            sigma = torch.tensor([sigma])
            out += [s.precondition_inputs(x, sigma).item(), s.precondition_noise(sigma).item(),
                    s.precondition_outputs(x, f, sigma).item()]
        print(json.dumps(out))
        """, JSONValue(sigmas.map { Float($0) }))
    guard case .array(let values) = found else {
      Issue.record("no list")
      return
    }
    let edm = EDMPreconditioning()
    let sample = Tensor([Float](repeating: 1.5, count: 5), shape: [5, 1])
    let output = Tensor([Float](repeating: -0.7, count: 5), shape: [5, 1])
    let inputs = edm.input(sample, sigmas: sigmas).scalars
    let denoised = edm.denoised(output, sample: sample, sigmas: sigmas).scalars
    let ours = sigmas.indices.flatMap {
      [inputs[$0], Float(edm.noiseCondition(sigma: sigmas[$0])), denoised[$0]]
    }
    #expect(relativeError(ours, values.compactMap(\.float)) < 1e-6)
  }
}
