import Schedulers
import TestSupport
import Testing

@Suite struct SchedulerNameTests {
  @Test func namesAreFoundAndOthersListThem() throws {
    #expect(try SchedulerName(named: "dpm++2m-sde") == .dpmSolver2MStochastic)
    let error = #expect(throws: SchedulerError.self) { try SchedulerName(named: "magic") }
    let text = error?.description ?? ""
    #expect(SchedulerName.allCases.allSatisfy { text.contains($0.rawValue) })
    #expect(Set(SchedulerName.allCases.map(\.explanation)).count == SchedulerName.allCases.count)
  }

  @Test func aModelIsSampledAsItWasTrained() throws {
    var training = SchedulerConfiguration(.ddpm)
    training.betaSchedule = .cosine
    training.numTrainTimesteps = 500
    training.predictionType = .velocity
    training.clipSample = false
    for name in SchedulerName.allCases where name != .flowEuler {
      let configuration = try name.configuration(forModelTrainedWith: training)
      #expect(configuration.className == name.className)
      #expect(configuration.betaSchedule == .cosine && configuration.numTrainTimesteps == 500)
      #expect(configuration.predictionType == .velocity && !configuration.clipSample)
      #expect(try configuration.scheduler().start(steps: 5).steps.count >= 5)
    }
    let solver = try SchedulerName.dpmSolver3M.configuration(forModelTrainedWith: training)
    #expect(solver.solverOrder == 3)
    #expect(throws: SchedulerError.self) {
      try SchedulerName.flowEuler.configuration(forModelTrainedWith: training)
    }
  }

  @Test func aModelOfFlowMatchingIsSampledByWhatSuitsIt() throws {
    var training = SchedulerConfiguration(.flowMatchEuler)
    training.shift = 3
    for name in SchedulerName.allCases {
      guard [.flowMatchEuler, .dpmSolverMultistep, .uniPCMultistep].contains(name.className) else {
        #expect(throws: SchedulerError.self) {
          try name.configuration(forModelTrainedWith: training)
        }
        continue
      }
      let sampling = try name.configuration(forModelTrainedWith: training).scheduler()
        .start(steps: 10)
      #expect(sampling.steps.allSatisfy { abs($0.level.signal + $0.level.noise - 1) < 1e-12 })
      #expect(sampling.scheduler.predictionType == .flow)
    }
  }
}
