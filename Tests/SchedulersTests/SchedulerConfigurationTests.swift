import Foundation
import Schedulers
import Tensors
import TestSupport
import Testing

@Suite struct SchedulerConfigurationTests {
  /// As diffusers writes it, with what JSON doesn't allow.
  private let file = """
    {
      "_class_name": "DPMSolverMultistepScheduler",
      "_diffusers_version": "0.42.1",
      "algorithm_type": "sde-dpmsolver++",
      "beta_end": 0.012,
      "beta_schedule": "scaled_linear",
      "beta_start": 0.00085,
      "lambda_min_clipped": -Infinity,
      "note": "a \\"-Infinity\\" in a string stays",
      "solver_order": 3,
      "thresholding": false,
      "trained_betas": null,
      "use_karras_sigmas": true,
      "use_exponential_sigmas": false
    }
    """

  private func parsed(
    _ text: String, as name: SchedulerConfiguration.ClassName? = nil
  ) throws -> SchedulerConfiguration {
    try SchedulerConfiguration(parsing: Array(text.utf8), source: "s.json", as: name)
  }

  @Test func aFileOfDiffusersIsRead() throws {
    var expected = SchedulerConfiguration(.dpmSolverMultistep)
    expected.algorithmType = .stochasticDPMSolverPlusPlus
    (expected.betaStart, expected.betaEnd, expected.betaSchedule) = (0.00085, 0.012, .scaledLinear)
    expected.solverOrder = 3
    expected.sigmaSpacing = .karras
    #expect(try parsed(file) == expected)
    #expect(try expected.scheduler() is DPMSolverMultistepScheduler)
  }

  @Test func aFileCanBeReadForAnotherClass() throws {
    let stable = #"{"_class_name": "PNDMScheduler", "beta_end": 0.012, "set_alpha_to_one": false}"#
    let configuration = try parsed(stable, as: .ddim)
    #expect(configuration.className == .ddim && configuration.betaEnd == 0.012)
    #expect(!configuration.setAlphaToOne)
  }

  @Test func whatIsWrittenIsReadAgain() throws {
    for name in SchedulerConfiguration.ClassName.allCases {
      var configuration = SchedulerConfiguration(name)
      configuration.numTrainTimesteps = 3
      #expect(try parsed(JSONValue.object(configuration.json).text) == configuration)
      if name == .uniPCMultistep { configuration.disableCorrector = [0, 2] }
      if name != .flowMatchEuler { configuration.trainedBetas = [0.1, 0.2, 0.4] }
      if name == .flowMatchEuler { configuration.shift = 3 }
      if name == .heun { configuration.sigmaSpacing = .exponential }
      let text = JSONValue.object(configuration.json).text
      #expect(try parsed(text) == configuration)
      #expect(try parsed(text).scheduler().start(steps: 2).steps.count >= 2)
    }
  }

  @Test func aFileOnDiskIsRead() throws {
    try withTemporaryFile(Array(file.utf8)) { url in
      let configuration = try SchedulerConfiguration(contentsOf: url)
      #expect(configuration.solverOrder == 3)
    }
    #expect(throws: SchedulerError.self) {
      try SchedulerConfiguration(contentsOf: URL(filePath: "/nowhere/scheduler_config.json"))
    }
  }

  @Test func anUnknownClassIsRefusedAndTheKnownAreListed() {
    let error = #expect(throws: SchedulerError.self) {
      try parsed(#"{"_class_name": "LMSDiscreteScheduler"}"#)
    }
    #expect(error == .unknownClass(source: "s.json", name: "LMSDiscreteScheduler"))
    let text = error?.description ?? ""
    #expect(SchedulerConfiguration.ClassName.allCases.allSatisfy { text.contains($0.rawValue) })
  }

  @Test(arguments: [
    #""num_train_timesteps": 0"#, #""num_train_timesteps": 1000000000"#, #""beta_start": -0.1"#,
    #""beta_end": 1.5"#, #""beta_start": 0"#, #""solver_order": 4"#, #""solver_order": 0"#,
    #""steps_offset": -1"#, #""steps_offset": 1000"#, #""trained_betas": [0.1]"#,
    #""flow_shift": 0"#, #""lambda_min_clipped": 1e9"#,
  ])
  func settingsOutOfRangeAreRefused(_ setting: String) {
    let error = #expect(throws: SchedulerError.self) {
      try parsed("{\"_class_name\": \"DPMSolverMultistepScheduler\", \(setting)}")
    }
    guard case .outOfRange = error else {
      Issue.record("\(setting): \(String(describing: error))")
      return
    }
  }

  @Test(arguments: [
    #""num_train_timesteps": "many""#, #""num_train_timesteps": 1.5"#, #""beta_end": "big""#,
    #""beta_schedule": "laplace""#, #""use_karras_sigmas": 1"#, #""trained_betas": ["a"]"#,
    #""prediction_type": 3"#, #""solver_type": "logrho""#,
  ])
  func settingsOfAnotherTypeAreRefused(_ setting: String) {
    let error = #expect(throws: SchedulerError.self) {
      try parsed("{\"_class_name\": \"UniPCMultistepScheduler\", \(setting)}")
    }
    guard case .field = error else {
      Issue.record("\(setting): \(String(describing: error))")
      return
    }
  }

  @Test(arguments: [
    #""thresholding": true"#, #""use_beta_sigmas": true"#, #""use_lu_lambdas": true"#,
    #""use_dynamic_shifting": true"#, #""shift_terminal": 0.1"#,
  ])
  func settingsThatAreNotFollowedAreRefused(_ setting: String) {
    let error = #expect(throws: SchedulerError.self) {
      try parsed("{\"_class_name\": \"DPMSolverMultistepScheduler\", \(setting)}")
    }
    guard case .unsupported = error else {
      Issue.record("\(setting): \(String(describing: error))")
      return
    }
  }

  @Test func settingsThatExcludeEachOtherAreRefused() throws {
    func expectContradiction(_ make: () throws -> Void) {
      let error = #expect(throws: SchedulerError.self) { try make() }
      guard case .contradiction = error else {
        Issue.record("\(String(describing: error))")
        return
      }
    }
    let solver = #"{"_class_name": "DPMSolverMultistepScheduler", "#
    expectContradiction {
      _ = try parsed(solver + #""use_karras_sigmas": true, "use_exponential_sigmas": true}"#)
    }
    expectContradiction {
      _ = try parsed(solver + #""use_karras_sigmas": true, "use_flow_sigmas": true}"#)
    }
    expectContradiction {
      _ = try parsed(solver + #""algorithm_type": "dpmsolver"}"#).scheduler()
    }
    expectContradiction {
      let text = """
        {"_class_name": "EulerDiscreteScheduler", "use_karras_sigmas": true, "sigma_min": 1e5}
        """
      _ = try parsed(text).scheduler().start(steps: 5)
    }
    expectContradiction {
      let text = #"{"_class_name": "UniPCMultistepScheduler", "predict_x0": false}"#
      _ = try parsed(text).scheduler()
    }
    expectContradiction {
      let text =
        #"{"_class_name": "FlowMatchEulerDiscreteScheduler", "use_dynamic_shifting": true}"#
      _ = try parsed(text).scheduler()
    }
    expectContradiction {
      var configuration = SchedulerConfiguration(.ddim)
      configuration.rescaleBetasZeroSNR = true
      configuration.timestepSpacing = .trailing
      _ = try configuration.scheduler().start(steps: 10)
    }
  }

  @Test func everyPrefixOfAFileIsRefused() {
    let bytes = Array(file.utf8)
    for count in 0..<bytes.count {
      #expect(throws: SchedulerError.self) {
        try SchedulerConfiguration(parsing: Array(bytes.prefix(count)), source: "s.json")
      }
    }
  }

  @Test func impossibleCountsOfStepsAreRefused() throws {
    for name in SchedulerConfiguration.ClassName.allCases {
      let scheduler = try SchedulerConfiguration(name).scheduler()
      for steps in [Int.min, -1, 0, 1001, Int.max] {
        #expect(throws: SchedulerError.self) { try scheduler.start(steps: steps) }
      }
    }
    var configuration = SchedulerConfiguration(.ddim)
    configuration.stepsOffset = 1
    let scheduler = try DDIMScheduler(configuration)
    #expect(throws: SchedulerError.self) { try scheduler.start(steps: 1000) }
    #expect(throws: SchedulerError.self) { try scheduler.start(timesteps: [5, 5]) }
    #expect(throws: SchedulerError.self) { try scheduler.start(timesteps: [1000]) }
    #expect(throws: SchedulerError.self) { try scheduler.start(timesteps: []) }
  }
}
