import Foundation
import Schedulers
import Tensors
import TestSupport
import Testing

@Suite struct NoiseScheduleTests {
  private let stable = NoiseSchedule(.scaledLinear, start: 0.00085, end: 0.012)

  @Test func publishedValuesAreMet() {
    let alphas = stable.alphasCumprod
    #expect(abs(alphas[0] - 0.999150) < 1e-6)
    #expect(abs(alphas[499] - 0.277670) < 1e-6)
    #expect(abs(alphas[999] - 0.004660) < 1e-6)
    #expect(abs(stable.level(at: 0).sigma - 0.029167) < 1e-5)
    #expect(abs(stable.level(at: 999).sigma - 14.61464) < 1e-4)
    let linear = NoiseSchedule(.linear)
    #expect(abs(linear.alphasCumprod[999] - 4.036e-5) < 1e-8)
    #expect(abs(linear.level(at: 999).sigma - 157.407) < 1e-2)
    #expect(abs(NoiseSchedule(.cosine).alphasCumprod[499] - 0.493844) < 1e-6)
  }

  @Test func thereIsMoreNoiseAtEachTimestep() {
    for schedule in BetaSchedule.allCases {
      let alphas = NoiseSchedule(schedule).alphasCumprod
      #expect(alphas.count == 1000)
      #expect(zip(alphas, alphas.dropFirst()).allSatisfy { $0 > $1 })
    }
  }

  @Test func nothingIsLeftAtTheEndOfARescaledSchedule() {
    for schedule in [stable, NoiseSchedule(.cosine), NoiseSchedule(.linear, count: 10)] {
      let rescaled = schedule.rescaledToZeroTerminalSNR()
      #expect(rescaled.alphasCumprod[schedule.count - 1] == 0)
      #expect(rescaled.snr(at: schedule.count - 1) == 0)
      #expect(abs(rescaled.alphasCumprod[0] - schedule.alphasCumprod[0]) < 1e-6)
    }
  }

  @Test func karrasSigmasAreThePublishedOnes() throws {
    let sigmas = try #require(
      SigmaSpacing.karras.sigmas(
        from: stable.level(at: 999).sigma, to: stable.level(at: 0).sigma, count: 10))
    let published = [
      14.6146, 9.1029, 5.4784, 3.1686, 1.7494, 0.9141, 0.4469, 0.2014, 0.0819, 0.0292,
    ]
    for (found, expected) in zip(sigmas, published) { #expect(abs(found - expected) < 1e-4) }
    let edm = try #require(SigmaSpacing.karras.sigmas(from: 80, to: 0.002, count: 18))
    #expect(edm.count == 18 && abs(edm[0] - 80) < 1e-9 && abs(edm[17] - 0.002) < 1e-12)
    #expect(SigmaSpacing.timesteps.sigmas(from: 80, to: 1, count: 3) == nil)
  }

  @Test func timestepsAreSpacedAsTheSpacingSays() throws {
    func timesteps(
      _ name: SchedulerConfiguration.ClassName, _ spacing: TimestepSpacing, _ steps: Int
    ) throws -> [Double] {
      var configuration = SchedulerConfiguration(name)
      configuration.timestepSpacing = spacing
      configuration.stepsOffset = 1
      return try configuration.scheduler().start(steps: steps).steps.map(\.timestep)
    }
    #expect(try timesteps(.ddim, .leading, 50).prefix(2) == [981, 961])
    #expect(try timesteps(.ddim, .leading, 50).last == 1)
    #expect(try timesteps(.ddim, .trailing, 50).prefix(2) == [999, 979])
    #expect(try timesteps(.ddim, .trailing, 50).last == 19)
    #expect(try timesteps(.ddim, .linspace, 50).prefix(3) == [999, 979, 958])
    #expect(try timesteps(.ddim, .linspace, 50).last == 0)
    #expect(try timesteps(.dpmSolverMultistep, .linspace, 50).prefix(3) == [999, 979, 959])
    #expect(try timesteps(.dpmSolverMultistep, .linspace, 50).last == 20)
    #expect(try timesteps(.dpmSolverMultistep, .leading, 50).prefix(2) == [951, 932])
    for spacing in TimestepSpacing.allCases {
      for steps in [1, 2, 3, 7, 30, 333, 998] {
        let times = try timesteps(.ddim, spacing, steps)
        #expect(times.count == steps)
        #expect(zip(times, times.dropFirst()).allSatisfy { $0 > $1 })
        #expect(try timesteps(.uniPCMultistep, spacing, steps).count == steps)
      }
    }
  }
}
