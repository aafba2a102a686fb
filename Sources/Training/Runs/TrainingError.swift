/// Why a run ended, or didn't begin.
public enum TrainingError: Error, Hashable, Sendable {
  /// An infinite number, or one that isn't a number, came up in a step.
  case notFinite(step: Int, place: String)
  /// The squares of the data don't fit the network.
  case cropDoesNotFit(crop: Int, factor: Int)
  /// The squares are too small for a term of the objective.
  case cropTooSmall(crop: Int, least: Int, setting: String)
  /// The latents' sizes don't fit the denoiser.
  case latentsDoNotFit(size: [Int], factor: Int)
  /// The classes of the latents aren't those that the denoiser knows.
  case otherClasses(path: String, found: [String], expected: [String])
  /// The autoencoder's scaling isn't that of the latents.
  case otherScaling(autoencoder: String)
  /// The latents' channels aren't those of the denoiser.
  case otherChannels(path: String, found: Int, input: Int, output: Int)
  /// The denoiser knows no label for "no class", and classes are to be withheld.
  case noNullLabel(path: String)
  /// The denoiser was trained with another process.
  case otherProcess(path: String, settings: String)
  /// All parameters are frozen.
  case nothingToTrain
  /// The folder holds a model that no run of training made.
  case folderInUse(path: String)
  /// Another run trains in the folder.
  case isRunning(path: String)
}

extension TrainingError: CustomStringConvertible {
  private static func list(_ names: [String]) -> String {
    names.isEmpty ? "none" : names.joined(separator: ", ")
  }

  /// What is wrong, and what to do.
  public var description: String {
    switch self {
    case .notFinite(let step, let place):
      "step \(step): \(place) isn't finite any more (infinite or NaN), so the run was stopped; its "
        + "checkpoints are as they were. Lower optimizer.learning_rate, or set optimizer.clip_norm, "
        + "and start a new run"
    case .cropDoesNotFit(let crop, let factor):
      "data.crop is \(crop), which isn't a multiple of the network's factor, \(factor); set it to "
        + "\(max(1, crop / factor) * factor)"
    case .cropTooSmall(let crop, let least, let setting):
      "data.crop is \(crop), and \(setting) needs at least \(least); set it so, or that to 0"
    case .latentsDoNotFit(let size, let factor):
      "the latents' size \(size[0])×\(size[1]) isn't a multiple of the denoiser's factor, \(factor); "
        + "encode pictures with another --size, or choose a model with fewer resolutions"
    case .otherClasses(let path, let found, let expected):
      "the latents' classes are \(Self.list(found)), and \(path) knows \(Self.list(expected)); "
        + (expected.isEmpty
          ? "set data.labels to \"none\", or train a new model"
          : "give latents of these classes, or train a new model")
    case .otherScaling(let autoencoder):
      "the latents were made with another scaling than \(autoencoder) has now, though its weights "
        + "are the same; encode the pictures again with it"
    case .otherChannels(let path, let found, let input, let output):
      "the latents have \(found) channels, and the denoiser of \(path) takes \(input) and gives "
        + "\(output); as many are needed. Train a new model"
    case .noNullLabel(let path):
      "the denoiser of \(path) has no label for withheld classes; set objective.label_dropout to 0, "
        + "or train a new model"
    case .otherProcess(let path, let settings):
      "\(path) was trained with another process than the settings give; go on with its own: "
        + "--set \(settings.split(separator: " ").joined(separator: " --set "))"
    case .nothingToTrain:
      "no parameter is left to be trained; check train.frozen and train.decoder_only"
    case .folderInUse(let path):
      "\(path) holds a model that no run of training made; give another folder with -o"
    case .isRunning(let path):
      "another run is training in \(path); wait until it ends, or give another folder with -o"
    }
  }
}
