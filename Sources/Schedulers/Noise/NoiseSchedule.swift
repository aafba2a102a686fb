import Glibc
public import Tensors

/// The diffusion process that a denoiser was trained with: how much noise each timestep has.
///
/// Timesteps are 0..<`count`, the last one the noisiest. β and ᾱ are float32 numbers, as they were
/// when the models that are in use were trained; all that follows from them is float64.
public struct NoiseSchedule: Hashable, Sendable {
  /// β of each timestep.
  public let betas: [Double]
  /// ᾱ of each timestep: the product of 1 − β up to it.
  public let alphasCumprod: [Double]

  /// The process with these β.
  ///
  /// - Precondition: there is at least one, and they are in 0…1.
  public init(betas: [Double]) {
    precondition(
      !betas.isEmpty && betas.allSatisfy { $0 >= 0 && $0 <= 1 },
      "betas have to be in 0…1, and at least one is needed")
    self.betas = betas.map { Double(Float($0)) }
    var product = 1.0
    alphasCumprod = betas.map { beta in
      product *= Double(1 - Float(beta))
      return Double(Float(product))
    }
  }

  /// The process of a β schedule.
  ///
  /// - Parameters:
  ///   - schedule: how β grows.
  ///   - start: β of the first timestep.
  ///   - end: β of the last timestep.
  ///   - count: of timesteps, at least 1.
  public init(
    _ schedule: BetaSchedule, start: Double = 1e-4, end: Double = 0.02, count: Int = 1000
  ) {
    self.init(betas: schedule.betas(start: start, end: end, count: count).map { Double($0) })
  }

  /// The number of timesteps.
  public var count: Int { alphasCumprod.count }

  /// The same process, stretched so that nothing is left of the signal at the last timestep.
  ///
  /// √ᾱ is shifted so that its last value is 0 and scaled so that its first one stays: Algorithm 1
  /// of Lin et al. 2023, arXiv:2305.08891. ε can't be predicted there: it is for denoisers that
  /// predict v or x₀.
  public func rescaledToZeroTerminalSNR() -> NoiseSchedule {
    let roots = alphasCumprod.map { $0.squareRoot() }
    let (first, last) = (roots[0], roots[count - 1])
    guard count > 1 else { return self }
    let alphas = roots.map { root in
      let stretched = (root - last) * first / (first - last)
      return stretched * stretched
    }
    return NoiseSchedule(
      betas: alphas.indices.map { 1 - alphas[$0] / ($0 == 0 ? 1 : alphas[$0 - 1]) })
  }

  /// The level of a timestep.
  ///
  /// - Precondition: it is in 0..<`count`.
  public func level(at timestep: Int) -> NoiseLevel {
    NoiseLevel(alphaCumprod: alphasCumprod[timestep])
  }

  /// The signal-to-noise ratio of a timestep, ᾱ/(1 − ᾱ).
  public func snr(at timestep: Int) -> Double { level(at: timestep).snr }

  /// Pictures with noise, each with that of its own timestep: what a denoiser is trained on.
  ///
  /// Equation 4 of Ho et al. 2020, arXiv:2006.11239: √ᾱ·x₀ + √(1 − ᾱ)·ε.
  ///
  /// - Parameters:
  ///   - original: x₀, `[N, …]`.
  ///   - noise: ε, standard normal, of the same shape.
  ///   - timesteps: N of them.
  /// - Returns: samples of the same shape.
  public func addNoise(to original: Tensor, noise: Tensor, timesteps: [Int]) -> Tensor {
    NoiseLevel.addNoise(to: original, noise: noise, levels: timesteps.map { level(at: $0) })
  }

  /// σ = √((1 − ᾱ)/ᾱ) of each timestep.
  ///
  /// Where nothing is left of the signal σ is that of ᾱ = 2⁻²⁴, so that it is finite.
  var sigmas: [Double] {
    alphasCumprod.map { alpha in
      let alpha = alpha > 0 ? alpha : 0x1p-24
      return ((1 - alpha) / alpha).squareRoot()
    }
  }
}

/// σ of any time between timesteps, and back.
struct SigmaTable {
  let sigmas: [Double]
  private let logarithms: [Double]

  init(_ schedule: NoiseSchedule) {
    sigmas = schedule.sigmas
    logarithms = sigmas.map { log($0) }
  }

  /// σ at a time, by linear interpolation between timesteps.
  func sigma(at timestep: Double) -> Double {
    let last = Double(sigmas.count - 1)
    let time = min(max(timestep, 0), last)
    let index = min(Int(time), max(sigmas.count - 2, 0))
    let next = min(index + 1, sigmas.count - 1)
    let weight = time - Double(index)
    return sigmas[index] * (1 - weight) + sigmas[next] * weight
  }

  /// The time at which σ is reached, by linear interpolation of its logarithm.
  func timestep(ofSigma sigma: Double) -> Double {
    guard sigmas.count > 1 else { return 0 }
    let logarithm = log(max(sigma, 1e-10))
    let reached = logarithms.lastIndex { $0 <= logarithm } ?? 0
    let index = min(reached, sigmas.count - 2)
    let (low, high) = (logarithms[index], logarithms[index + 1])
    let weight = min(max((low - logarithm) / (low - high), 0), 1)
    return Double(index) + weight
  }
}
