import Foundation
import Models
import Pipelines
package import Tensors

/// The folder that a run of training fills: the model as diffusers lays it out, and more beside it.
///
/// | Path | What |
/// |---|---|
/// | `bottleneck.safetensors` | the book of a `vq` bottleneck |
/// | `settings.json` | all settings of the run |
/// | `result.json` | what came out; written last, when a run is over |
/// | `training/log.jsonl` | the numbers of the steps |
/// | `training/report.html` | charts and pictures |
/// | `training/samples/` | pictures above their reconstructions |
/// | `training/checkpoints/` | what the run goes on from |
public struct RunFolder: Sendable {
  /// The folder's path.
  public let path: String

  /// A folder, which may not be there yet.
  public init(path: String) {
    self.path = path
  }

  /// Where the settings stand.
  public var settingsPath: String { "\(path)/settings.json" }
  /// Where the log stands.
  public var logPath: String { "\(trainingPath)/log.jsonl" }
  /// Where the report stands.
  public var reportPath: String { "\(trainingPath)/report.html" }
  /// What the run works with.
  var trainingPath: String { "\(path)/training" }
  /// Where pictures of the steps stand.
  package var samplesPath: String { "\(trainingPath)/samples" }
  private var bottleneckPath: String { "\(path)/bottleneck.safetensors" }
  var resultPath: String { "\(path)/result.json" }
  private var checkpointsPath: String { "\(trainingPath)/checkpoints" }
  /// Whether there is an autoencoder, or a pipeline.
  private var holdsModel: Bool {
    ["config.json", "model_index.json"].contains {
      FileManager.default.fileExists(atPath: "\(path)/\($0)")
    }
  }

  /// What the folder is called.
  package var name: String { URL(filePath: path).standardizedFileURL.lastPathComponent }

  /// Whether a run was begun here.
  public var holdsRun: Bool { FileManager.default.fileExists(atPath: settingsPath) }

  /// The run's checkpoints.
  func checkpoints(keeping count: Int) -> CheckpointFolder {
    CheckpointFolder(path: checkpointsPath, keptCount: count)
  }

  /// Makes the folders, and keeps other runs away as long as the result lives.
  ///
  /// - Throws: ``TrainingError``, and an error that names the folder if it can't be made.
  func open() throws -> FileDescriptor {
    if !holdsRun, holdsModel {
      throw TrainingError.folderInUse(path: path)
    }
    try FileManager.default.createDirectory(
      atPath: samplesPath, withIntermediateDirectories: true)
    let lock = try FileDescriptor(opening: trainingPath)
    // A file system without locks grants none: then somebody else can't be told from nobody.
    guard lock.lock(waiting: false) else { throw TrainingError.isRunning(path: path) }
    for folder in [path, trainingPath, samplesPath] {
      AtomicFile.removeStaleTemporaries(in: folder)
    }
    return lock
  }

  /// What a run that is over wrote.
  package func result() -> JSONObject? {
    guard let data = FileManager.default.contents(atPath: resultPath),
      case .object(let object)? = try? JSONParser.parse(Array(data)),
      holdsModel
    else { return nil }
    return object
  }

  /// Takes away what says that the run is over.
  ///
  /// - Throws: an error that names the file.
  func removeResult() throws {
    guard FileManager.default.fileExists(atPath: resultPath) else { return }
    try FileManager.default.removeItem(atPath: resultPath)
  }

  /// Writes the result, which says that the run is over.
  ///
  /// - Throws: an error that names the file.
  func write(result: JSONObject) throws {
    try AtomicFile.write(
      Array((JSONValue.object(result).indentedText + "\n").utf8), to: resultPath)
  }

  /// Writes a denoiser with its autoencoder and scheduler.
  ///
  /// - Throws: an error that names the file that can't be written.
  func write(_ model: LatentDiffusionModel) throws {
    try model.save(to: URL(filePath: path))
  }

  /// Writes an autoencoder, and what stands between its halves.
  ///
  /// - Throws: an error that names the file that can't be written.
  func write(_ model: PretrainedAutoencoder, bottleneck: Bottleneck) throws {
    let parameters = WeightCollector(bottleneck).tensors
    if !parameters.isEmpty {
      try AtomicFile.write(
        try Safetensors.encoded(tensors: parameters, as: .float32), to: bottleneckPath)
    }
    try model.save(to: URL(filePath: path))
  }
}
