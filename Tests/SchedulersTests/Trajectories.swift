import Foundation
import Schedulers
import Tensors
import TestSupport

/// A reference that isn't what it should be.
struct ReferenceError: Error {
  let description: String
}

/// A trajectory that diffusers has computed, and its set-up.
struct Trajectory {
  let name: String
  let fields: JSONObject

  init(_ value: JSONValue) throws {
    guard case .object(let fields) = value, case .string(let name)? = fields["name"] else {
      throw ReferenceError(description: "not a trajectory")
    }
    (self.name, self.fields) = (name, fields)
  }

  var configuration: SchedulerConfiguration {
    get throws {
      guard case .object(var settings)? = fields["config"], let name = fields["class"] else {
        throw ReferenceError(description: "\(self.name) has no configuration")
      }
      settings["_class_name"] = name
      return try SchedulerConfiguration(settings, source: self.name)
    }
  }

  var steps: Int { fields["steps"]?.integer(as: Int.self) ?? 0 }

  func numbers(_ key: String) -> [Double]? { fields[key].map(Self.flat) }

  func rows(_ key: String) -> [[Float]] {
    guard case .array(let rows)? = fields[key] else { return [] }
    return rows.map { Self.flat($0).map { Float($0) } }
  }

  /// A keyword argument of diffusers' `step` or `set_timesteps`.
  func argument(_ name: String) -> Double? {
    guard case .object(let arguments)? = fields["step_kwargs"] else { return nil }
    return arguments[name]?.double
  }

  private static func flat(_ value: JSONValue) -> [Double] {
    if case .array(let values) = value { return values.flatMap(flat) }
    return value.double.map { [$0] } ?? []
  }

  /// The scheduler, with what diffusers takes as arguments of `step`.
  func scheduler() throws -> any Scheduler {
    if let eta = argument("eta") { return try DDIMScheduler(configuration, eta: eta) }
    if let amount = argument("s_churn") {
      var churn = EulerDiscreteScheduler.Churn()
      churn.amount = amount
      churn.noiseScale = argument("s_noise") ?? 1
      churn.range = (argument("s_tmin") ?? 0)...(argument("s_tmax") ?? .infinity)
      return try EulerDiscreteScheduler(configuration, churn: churn)
    }
    if let tokens = fields["tokens"]?.integer(as: Int.self) {
      return try FlowMatchEulerDiscreteScheduler(configuration, tokenCount: tokens)
    }
    return try configuration.scheduler()
  }

  var isLearned: Bool {
    guard case .object(let settings)? = fields["config"],
      case .string(let type)? = settings["variance_type"]
    else {
      return false
    }
    return type.hasPrefix("learned")
  }

  /// The denoiser of the golden files, a formula.
  func denoiser(_ x: Tensor, _ timestep: Double) -> Tensor {
    let bounded = x / (x.squared() + 1).squareRoot()
    let output = bounded * 0.7 + Float(0.1 * cos(0.01 * timestep))
    return isLearned ? output.concatenatedChannels(with: bounded.absolute() * 0.9) : output
  }

  /// Samples as the trajectory was made: the samples after each step, and x₀ at each.
  func sampled() throws -> (sampling: Sampling, samples: [[Float]], originals: [[Float]]) {
    var sampling = try scheduler().start(steps: steps)
    var x = Tensor(numbers("x_init").map { $0.map { Float($0) } } ?? [], shape: [1, 4, 4, 1])
    var noises = rows("noises").makeIterator()
    var samples: [[Float]] = []
    var originals: [[Float]] = []
    for step in sampling.steps {
      let output = denoiser(step.scaled(x), step.timestep)
      let result = sampling.step(output, at: step, sample: x) {
        Tensor(noises.next() ?? [], shape: [1, 4, 4, 1])
      }
      x = result.previousSample
      samples.append(x.scalars)
      originals.append(result.predictedOriginal.scalars)
    }
    return (sampling, samples, originals)
  }
}

/// The largest difference of corresponding rows, as a fraction of the largest number in any.
func trajectoryError(_ found: [[Float]], _ expected: [[Float]]) -> Float {
  found.count == expected.count
    ? relativeError(found.flatMap(\.self), expected.flatMap(\.self)) : .infinity
}

/// The largest difference, as a fraction of the largest number.
func relativeError(_ found: [Double], _ expected: [Double]) -> Double {
  guard found.count == expected.count else { return .infinity }
  let scale = expected.map { abs($0) }.max() ?? 1
  return (zip(found, expected).map { abs($0 - $1) }.max() ?? 0) / max(scale, 1e-30)
}
