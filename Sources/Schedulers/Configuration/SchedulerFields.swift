import Tensors

/// A key of `scheduler_config.json`, and where its value stands in a configuration.
struct SchedulerField: Sendable {
  /// The key.
  let key: String
  /// What its value has to be, as messages say it.
  let expected: String
  /// The classes that know it.
  let classes: [SchedulerConfiguration.ClassName]
  /// Sets the value; says whether it is of the right type.
  let read: @Sendable (JSONValue, inout SchedulerConfiguration) -> Bool
  /// The value; nil where it isn't written.
  let write: @Sendable (SchedulerConfiguration) -> JSONValue?

  private typealias Path<Value> = WritableKeyPath<SchedulerConfiguration, Value> & Sendable
  private typealias Names = [SchedulerConfiguration.ClassName]

  private static func field<Value>(
    _ key: String, _ path: any Path<Value>, _ classes: Names, expected: String,
    read: @escaping @Sendable (JSONValue) -> Value?,
    write: @escaping @Sendable (Value) -> JSONValue?
  ) -> SchedulerField {
    SchedulerField(
      key: key, expected: expected, classes: classes,
      read: { value, configuration in
        guard let value = read(value) else { return false }
        configuration[keyPath: path] = value
        return true
      },
      write: { write($0[keyPath: path]) })
  }

  private static func integer(
    _ key: String, _ path: any Path<Int>, _ classes: Names
  ) -> SchedulerField {
    field(key, path, classes, expected: "an integer") {
      $0.integer(as: Int.self)
    } write: {
      JSONValue($0)
    }
  }

  private static func number(
    _ key: String, _ path: any Path<Double>, _ classes: Names
  ) -> SchedulerField {
    field(key, path, classes, expected: "a number", read: \.double) { JSONValue($0) }
  }

  private static func optionalNumber(
    _ key: String, _ path: any Path<Double?>, _ classes: Names
  ) -> SchedulerField {
    field(key, path, classes, expected: "a number", read: { $0.double.map(Optional.some) }) {
      $0.map { JSONValue($0) }
    }
  }

  private static func flag(
    _ key: String, _ path: any Path<Bool>, _ classes: Names
  ) -> SchedulerField {
    field(key, path, classes, expected: "true or false") { value in
      if case .boolean(let flag) = value { flag } else { nil }
    } write: {
      .boolean($0)
    }
  }

  private static func choice<Choice: RawRepresentable<String> & CaseIterable & SendableMetatype>(
    _ key: String, _ path: any Path<Choice>, _ classes: Names
  ) -> SchedulerField {
    let names = Choice.allCases.map(\.rawValue).joined(separator: ", ")
    return field(key, path, classes, expected: "one of \(names)") { value in
      if case .string(let name) = value { Choice(rawValue: name) } else { nil }
    } write: {
      .string($0.rawValue)
    }
  }

  private static func spacing(_ spacing: SigmaSpacing, _ classes: Names) -> SchedulerField {
    field(
      "use_\(spacing.rawValue)_sigmas", \.sigmaSpacing, classes, expected: "true or false",
      read: { value in
        guard case .boolean(let flag) = value else { return nil }
        return flag ? spacing : .timesteps
      }, write: { .boolean($0 == spacing) })
  }

  private static let trainedBetas = field(
    "trained_betas", \.trainedBetas, diffusion, expected: "a list of numbers",
    read: { value in
      guard case .array(let values) = value else { return nil }
      let numbers = values.compactMap(\.double)
      return numbers.count == values.count ? .some(numbers) : nil
    }, write: { $0.map { .array($0.map { JSONValue($0) }) } })

  private static let disableCorrector = field(
    "disable_corrector", \.disableCorrector, [.uniPCMultistep], expected: "a list of integers",
    read: { value in
      guard case .array(let values) = value else { return nil }
      let numbers = values.compactMap { $0.integer(as: Int.self) }
      return numbers.count == values.count ? numbers : nil
    }, write: { JSONValue.array($0.map { JSONValue($0) }) })
}

extension SchedulerField {
  private static let all = SchedulerConfiguration.ClassName.allCases
  private static let flow: Names = [.flowMatchEuler]
  private static let diffusion = all.filter { $0 != .flowMatchEuler }
  private static let solvers: Names = [.dpmSolverMultistep, .uniPCMultistep]
  private static let spread: Names = [.euler, .heun] + solvers

  /// The keys that are read and written, in the order in which they are written.
  static let known: [SchedulerField] = [
    integer("num_train_timesteps", \.numTrainTimesteps, all),
    number("beta_start", \.betaStart, diffusion),
    number("beta_end", \.betaEnd, diffusion),
    choice("beta_schedule", \.betaSchedule, diffusion),
    trainedBetas,
    choice("prediction_type", \.predictionType, diffusion),
    choice("timestep_spacing", \.timestepSpacing, diffusion),
    integer("steps_offset", \.stepsOffset, diffusion),
    flag("rescale_betas_zero_snr", \.rescaleBetasZeroSNR, diffusion.filter { $0 != .heun }),
    flag("clip_sample", \.clipSample, [.ddpm, .ddim, .heun]),
    number("clip_sample_range", \.clipSampleRange, [.ddpm, .ddim, .heun]),
    choice("variance_type", \.varianceType, [.ddpm]),
    flag("set_alpha_to_one", \.setAlphaToOne, [.ddim]),
    spacing(.karras, spread + flow),
    spacing(.exponential, spread + flow),
    optionalNumber("sigma_min", \.sigmaMin, [.euler, .uniPCMultistep]),
    optionalNumber("sigma_max", \.sigmaMax, [.euler, .uniPCMultistep]),
    choice("final_sigmas_type", \.finalSigmasType, solvers + [.euler]),
    choice("timestep_type", \.timestepType, [.euler]),
    integer("solver_order", \.solverOrder, solvers),
    choice("algorithm_type", \.algorithmType, [.dpmSolverMultistep]),
    choice("solver_type", \.solverType, solvers),
    flag("lower_order_final", \.lowerOrderFinal, solvers),
    flag("euler_at_final", \.eulerAtFinal, [.dpmSolverMultistep]),
    optionalNumber("lambda_min_clipped", \.lambdaMinClipped, [.dpmSolverMultistep]),
    flag("use_flow_sigmas", \.useFlowSigmas, solvers),
    number("flow_shift", \.flowShift, solvers),
    flag("predict_x0", \.predictX0, [.uniPCMultistep]),
    disableCorrector,
    number("shift", \.shift, flow),
    flag("use_dynamic_shifting", \.useDynamicShifting, flow),
    number("base_shift", \.baseShift, flow),
    number("max_shift", \.maxShift, flow),
    integer("base_image_seq_len", \.baseImageSeqLen, flow),
    integer("max_image_seq_len", \.maxImageSeqLen, flow),
  ]

  /// Keys of diffusers that change what is computed, and the only value that is followed, apart from
  /// `null`; by class, or for all of them.
  static let fixed: [(key: String, value: JSONValue, classes: [SchedulerConfiguration.ClassName])] =
    [
      ("thresholding", .boolean(false), all),
      ("use_beta_sigmas", .boolean(false), all),
      ("use_lu_lambdas", .boolean(false), solvers),
      ("use_dynamic_shifting", .boolean(false), solvers),
      ("interpolation_type", .string("linear"), [.euler]),
      ("solver_p", .null, solvers),
      ("shift_terminal", .null, solvers + flow),
      ("invert_sigmas", .boolean(false), flow),
      ("stochastic_sampling", .boolean(false), flow),
      ("time_shift_type", .string("exponential"), solvers + flow),
    ]
}
