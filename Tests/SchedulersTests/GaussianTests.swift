import Foundation
import Schedulers
import Tensors
import TestSupport
import Testing

/// Data from a normal distribution in the plane, whose perfect denoiser is known.
///
/// A sample of level (a, s) is normal with mean a·μ and covariance a²·C + s²; C is symmetric, and so
/// functions of it commute.
private struct Gaussian {
  let mean = [1.0, -0.5]
  /// The eigenvalues of C.
  let variances = [0.8, 0.1]
  /// The angle of the first eigenvector.
  let angle = 0.6

  /// The matrix with C's eigenvectors and these eigenvalues, row by row.
  func matrix(_ function: (Double) -> Double) -> [Double] {
    let (first, second) = (function(variances[0]), function(variances[1]))
    let (c, s) = (cos(angle), sin(angle))
    let mixed = (first - second) * c * s
    return [first * c * c + second * s * s, mixed, mixed, first * s * s + second * c * c]
  }

  /// The mean that is taken away, the map, and the mean that is added: `[N, 1, 1, 2]`.
  func mapped(_ x: Tensor, minus: Double, _ function: (Double) -> Double, plus: Double) -> Tensor {
    let (matrix, old) = (matrix(function), x.scalars)
    var values = old
    for index in stride(from: 0, to: values.count, by: 2) {
      let first = Double(old[index]) - minus * mean[0]
      let second = Double(old[index + 1]) - minus * mean[1]
      values[index] = Float(matrix[0] * first + matrix[1] * second + plus * mean[0])
      values[index + 1] = Float(matrix[2] * first + matrix[3] * second + plus * mean[1])
    }
    return Tensor(values, shape: x.shape)
  }

  /// What a perfect denoiser says: ε = s·(a²·C + s²)⁻¹·(x − a·μ).
  func epsilon(_ x: Tensor, at level: NoiseLevel) -> Tensor {
    let (a, s) = (level.signal, level.noise)
    return mapped(x, minus: a, { s / (a * a * $0 + s * s) }, plus: 0)
  }

  /// Where the probability flow carries samples from one level to another.
  func carried(_ x: Tensor, from: NoiseLevel, to: NoiseLevel) -> Tensor {
    func deviation(_ level: NoiseLevel, _ variance: Double) -> Double {
      (level.signal * level.signal * variance + level.noise * level.noise).squareRoot()
    }
    return mapped(
      x, minus: from.signal, { deviation(to, $0) / deviation(from, $0) }, plus: to.signal)
  }

  /// μ and C: x, y, xx, xy, yy.
  var moments: [Double] {
    let c = matrix { $0 }
    return mean + [c[0], c[1], c[3]]
  }

  /// The mean and the covariance of what is sampled, without sampling it.
  ///
  /// All is linear: the result is c + M·x + Σ Nₖ·nₖ for independent standard normal x and nₖ, so that
  /// its mean is c and its covariance M·Mᵀ + Σ Nₖ·Nₖᵀ. Of a batch the first image has no noise at
  /// all, and each other one a 1 in one place of x or of one nₖ.
  func moments(_ scheduler: any Scheduler, steps: Int) throws -> [Double] {
    var sampling = try scheduler.start(steps: steps)
    let count = 2 * sampling.steps.count + 3
    func impulse(at image: Int) -> Tensor {
      var values = [Float](repeating: 0, count: 2 * count)
      (values[2 * image], values[2 * image + 3]) = (1, 1)
      return Tensor(values, shape: [count, 1, 1, 2])
    }
    var x = impulse(at: 1) * sampling.initialNoiseSigma
    for step in sampling.steps {
      let epsilon = epsilon(x, at: step.level)
      var output = epsilon
      if scheduler.predictionType == .flow {
        let (a, s) = (Float(step.level.signal), Float(step.level.noise))
        // Where a is 0, μ is the best that can be said of x₀.
        let original =
          a > 0 ? (x - epsilon * s) / a : mapped(x, minus: 0, { _ in 0 }, plus: 1)
        output = epsilon - original
      }
      x =
        sampling.step(output, at: step, sample: x) { impulse(at: 2 * step.index + 3) }
        .previousSample
    }
    let values = x.scalars.map { Double($0) }
    var result = [values[0], values[1], 0, 0, 0]
    for index in stride(from: 2, to: values.count, by: 2) {
      let (dx, dy) = (values[index] - values[0], values[index + 1] - values[1])
      result[2] += dx * dx
      result[3] += dx * dy
      result[4] += dy * dy
    }
    return result
  }

  /// The largest distance from where the probability flow carries a few points.
  func error(_ scheduler: any Scheduler, steps: Int) throws -> Double {
    var sampling = try scheduler.start(steps: steps)
    let start = sampleTensor([16, 1, 1, 2]) * 2 * sampling.initialNoiseSigma
    var x = start
    for step in sampling.steps {
      x =
        sampling.step(epsilon(x, at: step.level), at: step, sample: x) { Tensor(zeros: x.shape) }
        .previousSample
    }
    let (first, last) = (sampling.steps[0].level, sampling.steps[sampling.steps.count - 1].next)
    let exact = carried(start, from: first, to: last)
    return zip(x.scalars, exact.scalars).map { Double(abs($0 - $1)) }.max() ?? .infinity
  }

  /// p, where the error falls as (number of steps)^−p.
  func order(_ scheduler: any Scheduler, steps: Int) throws -> Double {
    let (few, many) = (
      try error(scheduler, steps: steps + 1), try error(scheduler, steps: 2 * steps + 1)
    )
    return log2(few / many)
  }
}

@Suite struct GaussianTests {
  private let gaussian = Gaussian()

  private func configuration(
    _ name: SchedulerConfiguration.ClassName,
    _ change: (inout SchedulerConfiguration) -> Void = { _ in }
  ) -> SchedulerConfiguration {
    var configuration = SchedulerConfiguration(name)
    configuration.betaSchedule = .scaledLinear
    (configuration.betaStart, configuration.betaEnd) = (0.00085, 0.012)
    configuration.clipSample = false
    change(&configuration)
    return configuration
  }

  /// Levels at equal distances of λ, which end where the training does: nothing but the order of the
  /// method is measured.
  private func even(
    _ name: SchedulerConfiguration.ClassName,
    _ change: (inout SchedulerConfiguration) -> Void = { _ in }
  ) -> SchedulerConfiguration {
    configuration(name) {
      $0.sigmaSpacing = .exponential
      $0.finalSigmasType = .smallest
      $0.lowerOrderFinal = false
      change(&$0)
    }
  }

  @Test func ddimIsOfFirstOrder() throws {
    let order = try gaussian.order(
      DDIMScheduler(configuration(.ddim) { $0.timestepSpacing = .linspace }), steps: 50)
    #expect(order > 0.8 && order < 1.3)
  }

  @Test func eulerIsOfFirstOrder() throws {
    let order = try gaussian.order(EulerDiscreteScheduler(even(.euler)), steps: 40)
    #expect(order > 0.8 && order < 1.3)
  }

  @Test func dpmSolverIsOfItsOrder() throws {
    // The third order begins with a step of the first one, whose error is of second order.
    for (solverOrder, expected) in [(1, 1.0), (2, 2.0), (3, 2.0)] {
      let scheduler = try DPMSolverMultistepScheduler(
        even(.dpmSolverMultistep) { $0.solverOrder = solverOrder })
      let order = try gaussian.order(scheduler, steps: 40)
      #expect(order > expected - 0.2 && order < expected + 0.5)
    }
  }

  @Test func heunIsOfSecondOrder() throws {
    // It always ends with a step of Euler's to no noise, which is too small to matter.
    let order = try gaussian.order(HeunDiscreteScheduler(even(.heun)), steps: 15)
    #expect(order > 1.7 && order < 3)
  }

  @Test func uniPCIsOfHigherOrderThanItsPredictor() throws {
    let order = try gaussian.order(UniPCMultistepScheduler(even(.uniPCMultistep)), steps: 20)
    #expect(order > 2.3)
  }

  /// Expects the mean and the covariance of the data, and the better the more steps there are.
  private func expectTheData(
    _ scheduler: any Scheduler, steps: Int, within tolerance: Double
  ) throws {
    let errors = try [steps / 2, steps].map { steps in
      zip(try gaussian.moments(scheduler, steps: steps), gaussian.moments)
        .map { abs($0 - $1) }.max() ?? .infinity
    }
    #expect(errors[1] < tolerance)
    #expect(errors[1] < 0.8 * errors[0] || errors[0] < tolerance)
  }

  /// The process of DDPM, at whose end almost no signal is left: what is left, √ᾱ = 0.006, is the
  /// least error of the mean.
  private func linear(
    _ name: SchedulerConfiguration.ClassName,
    _ change: (inout SchedulerConfiguration) -> Void = { _ in }
  ) -> SchedulerConfiguration {
    var configuration = SchedulerConfiguration(name)
    configuration.clipSample = false
    (configuration.betaStart, configuration.betaEnd) = (1e-4, 0.02)
    change(&configuration)
    return configuration
  }

  @Test func deterministicSamplersGiveTheDataDistribution() throws {
    try expectTheData(DDIMScheduler(linear(.ddim)), steps: 500, within: 0.01)
    try expectTheData(
      EulerDiscreteScheduler(linear(.euler) { $0.sigmaSpacing = .karras }), steps: 200,
      within: 0.02)
    for order in [2, 3] {
      let solver = linear(.dpmSolverMultistep) {
        $0.sigmaSpacing = .karras
        $0.solverOrder = order
      }
      try expectTheData(DPMSolverMultistepScheduler(solver), steps: 50, within: 0.01)
    }
    try expectTheData(
      UniPCMultistepScheduler(linear(.uniPCMultistep) { $0.sigmaSpacing = .karras }), steps: 40,
      within: 0.01)
    try expectTheData(
      HeunDiscreteScheduler(linear(.heun) { $0.sigmaSpacing = .karras }), steps: 60, within: 0.01)
  }

  @Test func stochasticSamplersGiveTheDataDistribution() throws {
    try expectTheData(DDPMScheduler(linear(.ddpm)), steps: 1000, within: 0.01)
    try expectTheData(DDIMScheduler(linear(.ddim), eta: 1), steps: 500, within: 0.02)
    try expectTheData(
      EulerAncestralDiscreteScheduler(linear(.eulerAncestral)), steps: 500, within: 0.02)
    let solver = linear(.dpmSolverMultistep) {
      $0.algorithmType = .stochasticDPMSolverPlusPlus
      $0.sigmaSpacing = .karras
    }
    try expectTheData(DPMSolverMultistepScheduler(solver), steps: 100, within: 0.01)
  }

  @Test func flowMatchingGivesTheDataDistribution() throws {
    try expectTheData(FlowMatchEulerDiscreteScheduler(), steps: 400, within: 0.01)
  }
}
