import Models
import Schedulers
import Tensors

/// The process that a denoiser learns to undo: what its inputs and targets are at each moment.
struct DiffusionProcess: Sendable {
  /// A point of the process.
  struct Moment: Sendable {
    /// What the denoiser is told.
    let timestep: Double
    /// How much noise there is.
    let level: NoiseLevel
  }

  private let settings: NoiseSettings
  /// The levels of the timesteps; nil for flows.
  private let schedule: NoiseSchedule?

  /// A process.
  ///
  /// - Throws: `SchedulerError` for noise that can't be.
  init(_ settings: NoiseSettings) throws(SchedulerError) {
    self.settings = settings
    schedule = settings.prediction == .flow ? nil : try settings.scheduler.noiseSchedule()
  }

  /// The moment at a part of the way from picture to noise, in 0..<1.
  func moment(_ position: Double) -> Moment {
    guard let schedule else { return flow(sigma: (position + 1e-4) / (1 + 1e-4)) }
    let timestep = min(Int(position * Double(schedule.count)), schedule.count - 1)
    return Moment(timestep: Double(timestep), level: schedule.level(at: timestep))
  }

  /// Moments to train at: all timesteps alike, and the middle of a flow more often.
  func moments(count: Int, using random: inout PhiloxRandomSource) -> [Moment] {
    guard let schedule else {
      return NoiseLevelSampling.logitNormalSigmas(count: count, using: &random).map(flow)
    }
    return NoiseLevelSampling.uniformTimesteps(count: count, of: schedule.count, using: &random)
      .map { Moment(timestep: Double($0), level: schedule.level(at: $0)) }
  }

  private func flow(sigma: Double) -> Moment {
    Moment(timestep: sigma * Double(settings.timesteps), level: .flow(sigma: sigma))
  }

  /// What a denoiser says too much of noisy latents.
  ///
  /// - Returns: its estimate without what it should say, `[N, H, W, C]`.
  func error(
    of model: some Denoiser, latents: Tensor, noise: Tensor, moments: [Moment], labels: [Int]?
  ) -> Tensor {
    let levels = moments.map(\.level)
    let noisy = NoiseLevel.addNoise(to: latents, noise: noise, levels: levels)
    let target = settings.prediction.target(original: latents, noise: noise, levels: levels)
    let estimate = model(noisy, timesteps: moments.map { Float($0.timestep) }, labels: labels)
    return estimate - target
  }
}
