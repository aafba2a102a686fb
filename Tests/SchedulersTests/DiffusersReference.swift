import Foundation
import Schedulers
import Tensors
import TestSupport

/// Trajectories that diffusers computes with the same noise; `LVAE_PYTHON` names a Python that has
/// it.
enum DiffusersReference {
  static let absence = "skipped: needs diffusers (set LVAE_PYTHON)"

  private static let python = ProcessInfo.processInfo.environment["LVAE_PYTHON"] ?? "python3"

  static let isAvailable =
    ProcessInfo.processInfo.environment["LVAE_PYTHON"] != nil
    && (try? output(ofProgram: "/usr/bin/env", [python, "-c", "import diffusers"])) != nil

  /// The value that a program writes as its last line; it has `argument` as `given`.
  static func value(of program: String, _ argument: JSONValue) throws -> JSONValue {
    var bytes: [UInt8] = []
    try withTemporaryFile(Array(argument.text.utf8)) { url in
      let text = """
        import json, sys, warnings
        warnings.filterwarnings("ignore")
        import torch, diffusers
        torch.set_num_threads(1)
        given = json.load(open(sys.argv[1]))
        \(program)
        """
      bytes = try output(ofProgram: "/usr/bin/env", [python, "-c", text, url.path])
    }
    let line = bytes.split(separator: UInt8(ascii: "\n")).last ?? []
    return try JSONParser.parse(Array(line))
  }

  /// What to run: name, class, steps, `config`, `step_kwargs`.
  static let cases: [(String, String, Int, String, String)] = {
    let sd = #""beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012"#
    func few(_ prefix: String, _ name: String, _ list: [(String, Int, String)])
      -> [(String, String, Int, String, String)]
    {
      list.map { one in
        let schedule = one.2.contains("beta_schedule") ? "\"num_train_timesteps\": 1000" : sd
        return ("\(prefix) \(one.0)", name, one.1, "{\(schedule)\(one.2)}", "{}")
      }
    }
    return few("heun", "HeunDiscreteScheduler", heun)
      + few("euler-a", "EulerAncestralDiscreteScheduler", ancestral)
      + few("unipc", "UniPCMultistepScheduler", uniPC)
      + few("dpm", "DPMSolverMultistepScheduler", dpmSolver)
      + few("euler", "EulerDiscreteScheduler", euler)
      + [
        (
          "euler churn", "EulerDiscreteScheduler", 10, "{\(sd)}",
          #"{"s_churn": 3.0, "s_noise": 1.003, "s_tmin": 0.1, "s_tmax": 10.0}"#
        ),
        (
          "euler churn v", "EulerDiscreteScheduler", 10,
          "{\(sd), \"prediction_type\": \"v_prediction\"}", #"{"s_churn": 20.0}"#
        ),
        (
          "ddim zero snr eta", "DDIMScheduler", 8,
          """
          {\(sd), "clip_sample": false, "prediction_type": "v_prediction", \
          "rescale_betas_zero_snr": true, "timestep_spacing": "trailing"}
          """, #"{"eta": 1.0}"#
        ),
        (
          "ddim x0", "DDIMScheduler", 10,
          #"{"prediction_type": "sample", "clip_sample_range": 0.3}"#,
          #"{"eta": 0.3}"#
        ),
      ] + ddpm.map { ("ddpm \($0.0)", "DDPMScheduler", $0.1, "{\($0.2)}", "{}") }
      + flow.map { ("flow \($0.0)", "FlowMatchEulerDiscreteScheduler", $0.1, "{\($0.2)}", "{}") }
  }()

  private static let heun = [
    ("linspace", 8, ""),
    (
      "leading v", 9,
      #", "timestep_spacing": "leading", "steps_offset": 1, "prediction_type": "v_prediction""#
    ),
    ("trailing x0", 7, #", "timestep_spacing": "trailing", "prediction_type": "sample""#),
    ("karras", 10, #", "use_karras_sigmas": true"#),
    ("exponential clipped", 10, #", "use_exponential_sigmas": true, "clip_sample": true"#),
    ("one step", 2, ""),
  ]

  private static let ancestral = [
    ("linspace", 10, ""),
    ("leading", 9, #", "timestep_spacing": "leading", "steps_offset": 1"#),
    ("trailing v", 12, #", "timestep_spacing": "trailing", "prediction_type": "v_prediction""#),
    (
      "zero snr", 10,
      #", "timestep_spacing": "trailing", "prediction_type": "v_prediction", "rescale_betas_zero_snr": true"#
    ),
  ]

  /// With the other β its first exponential timestep is 998.99998 by a rounding error, and cut to 998.
  private static let uniPC = [
    ("second order", 10, ""), ("first order", 10, #", "solver_order": 1"#),
    ("third order", 12, #", "solver_order": 3"#),
    ("bh1", 10, #", "solver_type": "bh1", "final_sigmas_type": "sigma_min""#),
    (
      "third order bh1", 20,
      #", "solver_type": "bh1", "solver_order": 3, "final_sigmas_type": "sigma_min""#
    ),
    ("v trailing", 9, #", "prediction_type": "v_prediction", "timestep_spacing": "trailing""#),
    (
      "x0 leading", 9,
      #", "prediction_type": "sample", "timestep_spacing": "leading", "steps_offset": 1"#
    ),
    ("karras", 10, #", "use_karras_sigmas": true"#),
    ("karras range", 10, #", "use_karras_sigmas": true, "sigma_min": 0.05, "sigma_max": 10.0"#),
    ("exponential", 10, #", "beta_schedule": "linear", "use_exponential_sigmas": true"#),
    ("noise", 10, #", "predict_x0": false, "final_sigmas_type": "sigma_min""#),
    ("uncorrected", 10, #", "disable_corrector": [0, 1, 5]"#),
    (
      "high order to the end", 10,
      #", "lower_order_final": false, "final_sigmas_type": "sigma_min", "solver_order": 3"#
    ),
    (
      "flow", 10,
      #", "use_flow_sigmas": true, "flow_shift": 3.0, "prediction_type": "flow_prediction""#
    ),
    (
      "zero snr", 10,
      #", "prediction_type": "v_prediction", "timestep_spacing": "trailing", "rescale_betas_zero_snr": true"#
    ),
  ]

  private static let dpmSolver = [
    ("sde", 10, #", "algorithm_type": "sde-dpmsolver++""#),
    (
      "sde heun karras", 10,
      #", "algorithm_type": "sde-dpmsolver++", "solver_type": "heun", "use_karras_sigmas": true"#
    ),
    ("sde first order", 10, #", "algorithm_type": "sde-dpmsolver++", "solver_order": 1"#),
    ("sde third order", 16, #", "algorithm_type": "sde-dpmsolver++", "solver_order": 3"#),
    ("sde noise", 10, #", "algorithm_type": "sde-dpmsolver", "final_sigmas_type": "sigma_min""#),
    (
      "sde noise heun", 10,
      #", "algorithm_type": "sde-dpmsolver", "solver_type": "heun", "final_sigmas_type": "sigma_min""#
    ),
    (
      "noise heun", 10,
      #", "algorithm_type": "dpmsolver", "solver_type": "heun", "final_sigmas_type": "sigma_min""#
    ),
    (
      "noise third order", 16,
      #", "algorithm_type": "dpmsolver", "solver_order": 3, "final_sigmas_type": "sigma_min""#
    ),
    (
      "noise v", 10,
      #", "algorithm_type": "dpmsolver", "prediction_type": "v_prediction", "final_sigmas_type": "sigma_min""#
    ),
    (
      "noise x0", 10,
      #", "algorithm_type": "dpmsolver", "prediction_type": "sample", "final_sigmas_type": "sigma_min""#
    ),
    ("third order short", 10, #", "solver_order": 3"#),
    ("high order to the end", 10, #", "solver_order": 3, "lower_order_final": false"#),
    ("euler at final", 20, #", "euler_at_final": true, "final_sigmas_type": "sigma_min""#),
    ("trailing x0", 10, #", "timestep_spacing": "trailing", "prediction_type": "sample""#),
    ("exponential", 10, #", "beta_schedule": "linear", "use_exponential_sigmas": true"#),
    (
      "flow", 10,
      #", "use_flow_sigmas": true, "flow_shift": 3.0, "prediction_type": "flow_prediction""#
    ),
    (
      "zero snr", 10,
      #", "prediction_type": "v_prediction", "timestep_spacing": "trailing", "rescale_betas_zero_snr": true"#
    ),
    ("cosine clipped", 10, #", "beta_schedule": "squaredcos_cap_v2", "lambda_min_clipped": -5.1"#),
    (
      "cosine clipped trailing", 10,
      #", "beta_schedule": "squaredcos_cap_v2", "lambda_min_clipped": -3.0, "timestep_spacing": "trailing""#
    ),
    (
      "cosine clipped leading", 10,
      #", "beta_schedule": "squaredcos_cap_v2", "lambda_min_clipped": -4.0, "timestep_spacing": "leading""#
    ),
  ]

  private static let euler = [
    ("exponential", 10, #", "use_exponential_sigmas": true"#),
    ("karras range", 10, #", "use_karras_sigmas": true, "sigma_min": 0.05, "sigma_max": 10.0"#),
    ("smallest", 10, #", "final_sigmas_type": "sigma_min""#),
    ("x0", 7, #", "prediction_type": "sample""#),
    (
      "continuous v", 10,
      #", "timestep_type": "continuous", "prediction_type": "v_prediction", "use_karras_sigmas": true"#
    ),
    (
      "zero snr", 10,
      #", "prediction_type": "v_prediction", "timestep_spacing": "trailing", "rescale_betas_zero_snr": true"#
    ),
    ("cosine", 10, #", "beta_schedule": "squaredcos_cap_v2", "timestep_spacing": "leading""#),
  ]

  private static let ddpm = [
    ("sigmoid", 10, #""beta_schedule": "sigmoid""#),
    (
      "logarithm", 10,
      #""variance_type": "fixed_small_log", "timestep_spacing": "linspace", "clip_sample_range": 2.0"#
    ),
    ("learned range", 10, #""variance_type": "learned_range""#),
    (
      "learned", 10,
      #""variance_type": "learned", "clip_sample": false, "timestep_spacing": "trailing""#
    ),
    ("own betas", 4, #""num_train_timesteps": 5, "trained_betas": [0.1, 0.2, 0.3, 0.4, 0.5]"#),
    (
      "zero snr", 10,
      #""rescale_betas_zero_snr": true, "prediction_type": "v_prediction", "timestep_spacing": "trailing""#
    ),
    (
      "zero snr cosine", 10,
      #""rescale_betas_zero_snr": true, "prediction_type": "sample", "timestep_spacing": "trailing", "beta_schedule": "squaredcos_cap_v2""#
    ),
  ]

  private static let flow = [
    ("unshifted", 10, ""), ("one step", 1, #""shift": 3.0"#),
    ("karras", 10, #""use_karras_sigmas": true"#),
    ("dynamic", 10, #""use_dynamic_shifting": true"#),
  ]

  /// The trajectories of all cases.
  static let trajectories: Result<[Trajectory], any Error> = Result {
    var list: [JSONValue] = []
    for (name, className, steps, configuration, arguments) in cases {
      var source = TorchRandomSource(seed: UInt64(list.count))
      var object: JSONObject = [
        "name": .string(name), "class": .string(className), "steps": JSONValue(steps),
        "config": try JSONParser.parse(Array(configuration.utf8)),
        "step_kwargs": try JSONParser.parse(Array(arguments.utf8)),
        "x_init": JSONValue(source.normals(count: 16)),
        "noises": .array((0..<steps).map { _ in JSONValue(source.normals(count: 16)) }),
      ]
      if name == "flow dynamic" { object["tokens"] = JSONValue(1024) }
      list.append(.object(object))
    }
    guard case .array(let values) = try value(of: program, .array(list)) else {
      throw ReferenceError(description: "no list of trajectories")
    }
    return try values.map(Trajectory.init)
  }

  private static let program = """
    import importlib, math
    results = []
    for case in given:
        scheduler = getattr(diffusers, case["class"])(**case["config"])
        module = importlib.import_module(type(scheduler).__module__)
        noises = iter(case["noises"])
        module.randn_tensor = lambda *a, **k: torch.tensor(next(noises)).reshape(1, 1, 4, 4)
        more = {}
        if "tokens" in case:
            c = scheduler.config
            slope = (c.max_shift - c.base_shift) / (c.max_image_seq_len - c.base_image_seq_len)
            more["mu"] = c.base_shift + slope * (case["tokens"] - c.base_image_seq_len)
        scheduler.set_timesteps(case["steps"], **more)
        sigma = float(getattr(scheduler, "init_noise_sigma", 1.0))
        x = torch.tensor(case["x_init"]).reshape(1, 1, 4, 4) * sigma
        learned = str(case["config"].get("variance_type", "")).startswith("learned")
        case["x_init"] = x.flatten().tolist()
        case["init_noise_sigma"] = sigma
        case["timesteps"] = scheduler.timesteps.double().tolist()
        if hasattr(scheduler, "sigmas"): case["sigmas"] = scheduler.sigmas.double().tolist()
        case["trajectory"], case["pred_original_sample"] = [], []
        for t in scheduler.timesteps:
            scaled = scheduler.scale_model_input(x, t) if hasattr(scheduler, "scale_model_input") else x
            bounded = scaled / torch.sqrt(1 + scaled * scaled)
            output = 0.7 * bounded + 0.1 * math.cos(0.01 * float(t))
            if learned: output = torch.cat([output, 0.9 * bounded.abs()], dim=1)
            result = scheduler.step(output, t, x, **case["step_kwargs"])
            x = result.prev_sample
            case["trajectory"].append(x.flatten().tolist())
            original = getattr(result, "pred_original_sample", None)
            if original is not None: case["pred_original_sample"].append(original.flatten().tolist())
        results.append(case)
    print(json.dumps(results).replace("NaN", "null").replace("-Infinity", "null").replace("Infinity", "null"))
    """
}
