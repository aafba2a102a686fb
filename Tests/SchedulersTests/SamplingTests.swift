import Schedulers
import Tensors
import TestSupport
import Testing

@Suite struct SamplingTests {
  private func sampled(
    _ scheduler: any Scheduler, _ noise: Tensor, _ sources: [PhiloxRandomSource]
  ) throws -> Tensor {
    var sources = sources
    var sampling = try scheduler.start(steps: 6)
    var x = noise * sampling.initialNoiseSigma
    for step in sampling.steps {
      let output = step.scaled(x).tanh() * 0.8
      x = sampling.step(output, at: step, sample: x, using: &sources).previousSample
    }
    return x
  }

  @Test(arguments: SchedulerConfiguration.ClassName.allCases)
  func aPictureDoesNotDependOnTheOthers(_ name: SchedulerConfiguration.ClassName) throws {
    var configuration = SchedulerConfiguration(name)
    configuration.algorithmType = .stochasticDPMSolverPlusPlus
    let scheduler = try configuration.scheduler()
    let noise = sampleTensor([3, 4, 5, 2])
    let sources = (0..<3).map { PhiloxRandomSource(seed: 7).stream($0) }
    let all = try sampled(scheduler, noise, sources)
    for index in 0..<3 {
      let one = try sampled(scheduler, noise.images(index..<index + 1), [sources[index]])
      #expect(one.scalars == all.images(index..<index + 1).scalars)
    }
  }

  @Test func deterministicSchedulersAskForNoNoise() throws {
    for name in SchedulerConfiguration.ClassName.allCases
    where name != .ddpm && name != .eulerAncestral {
      var sampling = try SchedulerConfiguration(name).scheduler().start(steps: 5)
      var x = sampleTensor([1, 2, 2, 4])
      for step in sampling.steps {
        x =
          sampling.step(x * 0.5, at: step, sample: x) {
            Issue.record("\(name) draws noise")
            return x
          }.previousSample
      }
    }
  }

  @Test func noiseIsDrawnAtEachStepButTheLast() throws {
    var configuration = SchedulerConfiguration(.dpmSolverMultistep)
    configuration.algorithmType = .stochasticDPMSolverPlusPlus
    for configuration in [configuration, .init(.ddpm), .init(.eulerAncestral)] {
      var sampling = try configuration.scheduler().start(steps: 5)
      var x = sampleTensor([1, 2, 2, 4])
      var draws: [Int] = []
      for step in sampling.steps {
        x =
          sampling.step(x * 0.5, at: step, sample: x) {
            draws.append(step.index)
            return x
          }.previousSample
      }
      #expect(draws == [0, 1, 2, 3])
    }
  }

  @Test func aCopyGoesItsOwnWay() throws {
    var sampling = try UniPCMultistepScheduler().start(steps: 6)
    var x = sampleTensor([1, 2, 2, 4])
    for step in sampling.steps.prefix(3) {
      x = sampling.step(x * 0.5, at: step, sample: x) { x }.previousSample
    }
    var copy = sampling
    func rest(_ sampling: inout Sampling) -> [Float] {
      var x = x
      for step in sampling.steps.dropFirst(3) {
        x = sampling.step(x * 0.5, at: step, sample: x) { x }.previousSample
      }
      return x.scalars
    }
    let first = rest(&sampling)
    #expect(rest(&copy) == first)
  }

  @Test func strengthTakesTheLastSteps() throws {
    let ddim = try DDIMScheduler().start(steps: 10)
    #expect(ddim.steps(strength: 0.35).map(\.index) == [7, 8, 9])
    #expect(ddim.steps(strength: 1).count == 10)
    #expect(ddim.steps(strength: 0).isEmpty && ddim.steps(strength: -1).isEmpty)
    let heun = try HeunDiscreteScheduler().start(steps: 10)
    let last = heun.steps(strength: 0.2)
    #expect(last.map(\.index) == [16, 17, 18] && last.first?.isCorrection == false)
  }

  /// A picture is left as it is by a denoiser that knows its noise, wherever sampling begins.
  @Test(arguments: SchedulerConfiguration.ClassName.allCases)
  func aKnownPictureIsFoundFromAnyStep(_ name: SchedulerConfiguration.ClassName) throws {
    var configuration = SchedulerConfiguration(name)
    if name != .flowMatchEuler { configuration.predictionType = .velocity }
    let scheduler = try configuration.scheduler()
    let picture = sampleTensor([2, 2, 2, 3])
    for strength in [0.3, 0.6, 1] {
      var sampling = try scheduler.start(steps: 10)
      var source = PhiloxRandomSource(seed: 1)
      let noise = Tensor.randomNormal(shape: picture.shape, using: &source)
      let steps = sampling.steps(strength: strength)
      var x = try #require(steps.first).addNoise(to: picture, noise: noise)
      for step in steps {
        // ε of this sample, and what the denoiser would say of it.
        let epsilon =
          (x - picture * Float(step.level.signal)) * Float(1 / step.level.noise)
        let output = scheduler.predictionType.target(
          original: picture, noise: epsilon, levels: [step.level, step.level])
        let result = sampling.step(output, at: step, sample: x, using: &source)
        #expect(relativeError(result.predictedOriginal, picture) < 2e-3)
        x = result.previousSample
      }
      // DDPM, DDIM and flow matching end without noise too.
      #expect(relativeError(x, picture) < 1e-3)
    }
  }

  @Test func eachImageHasItsOwnSource() {
    var sources = (0..<2).map { PhiloxRandomSource(seed: 7).stream($0) }
    let both = Tensor.randomNormal(shape: [2, 3, 3, 2], using: &sources)
    var second = PhiloxRandomSource(seed: 7).stream(1)
    let alone = Tensor.randomNormal(shape: [1, 3, 3, 2], using: &second)
    #expect(both.images(1..<2).scalars == alone.scalars)
    #expect(sources[1].next() == second.next())
  }
}
