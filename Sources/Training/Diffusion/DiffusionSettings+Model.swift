import Models
import Pipelines
import Schedulers

extension DiffusionSettings {
  /// The latents with the labels of a model that is trained further.
  ///
  /// - Throws: ``TrainingError`` where the model doesn't fit the latents or these settings.
  func labelled(
    _ latents: LatentSet, for model: LatentDiffusionModel, path: String
  ) throws -> LatentSet {
    let denoiser = model.denoiser
    guard denoiser.inputChannels == latents.channels, denoiser.outputChannels == latents.channels
    else {
      throw TrainingError.otherChannels(
        path: path, found: latents.channels, input: denoiser.inputChannels,
        output: denoiser.outputChannels)
    }
    let size = [latents.height, latents.width]
    guard size.allSatisfy({ $0 % denoiser.spatialFactor == 0 }) else {
      throw TrainingError.latentsDoNotFit(size: size, factor: denoiser.spatialFactor)
    }
    guard let labelled = latents.labelled(as: model.classNames) else {
      throw TrainingError.otherClasses(
        path: path, found: latents.classNames, expected: model.classNames)
    }
    if objective.labelDropout > 0, denoiser.labelCount != nil, model.nullLabel == nil {
      throw TrainingError.noNullLabel(path: path)
    }
    guard try noise.scheduler.process == model.scheduler.process else {
      throw TrainingError.otherProcess(path: path, settings: model.scheduler.processText)
    }
    return labelled
  }
}

extension SchedulerConfiguration {
  /// What a denoiser learns of its scheduler: what it says, and the noise of each timestep.
  fileprivate struct Process: Equatable {
    var prediction: PredictionType
    var timestepCount: Int
    var schedule: NoiseSchedule?
  }

  private var isFlow: Bool { className == .flowMatchEuler || useFlowSigmas }

  fileprivate var process: Process {
    get throws(SchedulerError) {
      Process(
        prediction: isFlow ? .flow : predictionType, timestepCount: numTrainTimesteps,
        schedule: isFlow ? nil : try noiseSchedule())
    }
  }

  /// The process as settings of a run.
  fileprivate var processText: String {
    let prediction = isFlow ? PredictionType.flow : predictionType
    let first = "noise.prediction=\(prediction.rawValue) noise.timesteps=\(numTrainTimesteps)"
    if isFlow { return first }
    return first + " noise.schedule=\(betaSchedule.rawValue) noise.beta_start=\(betaStart) "
      + "noise.beta_end=\(betaEnd) noise.zero_terminal_snr=\(rescaleBetasZeroSNR)"
  }
}
