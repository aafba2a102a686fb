public import FoundationEssentials
public import Models
import Pipelines
import Tensors

/// A classifier with what is known of it, as a folder holds it: `config.json` and
/// `model.safetensors`.
public struct TrainedClassifier: Sendable {
  /// How it came about, and how good it is.
  public struct Record: Hashable, Sendable {
    /// The steps that were made.
    public var steps = 0
    /// What fixed weights and batches.
    public var seed: UInt64 = 0
    /// How many pictures it was trained with.
    public var trainingCount = 0
    /// How many pictures were held out.
    public var heldOutCount = 0
    /// The part of the pictures it was trained with whose class it tells, 0…1.
    public var trainingAccuracy = 0.0
    /// The part of the held-out pictures whose class it tells, 0…1.
    public var heldOutAccuracy = 0.0
  }

  /// The network.
  public let network: PictureClassifier
  /// How it came about.
  public let record: Record
  /// The SHA-256 of the file of its weights, in hexadecimal.
  public let sha256: String
  private let weights: [UInt8]

  /// A network with its record.
  ///
  /// - Throws: `SafetensorsError`, which no network of this class gives cause for.
  public init(_ network: PictureClassifier, record: Record) throws {
    self.network = network
    self.record = record
    weights = try Safetensors.encoded(
      tensors: WeightCollector(network).tensors, metadata: ["format": "pt"])
    sha256 = SHA256.hexadecimal(of: weights)
  }

  private static let className = "PictureClassifier"
  private static let configurationName = "config.json"
  private static let weightsName = "model.safetensors"

  /// Reads a folder that ``save(to:)`` wrote.
  ///
  /// - Throws: `CheckpointError`, for a folder of something else too.
  public init(contentsOf folder: URL) throws {
    let fields = try ConfigurationFields(
      contentsOf: folder.appending(path: Self.configurationName))
    let name = try fields.string("_class_name", or: "nothing")
    guard name == Self.className else {
      throw CheckpointError.field(
        path: fields.source, name: "_class_name", expected: Self.className, found: name)
    }
    var network = PictureClassifier(try PictureClassifier.Configuration(fields))
    try Checkpoint(contentsOf: folder.appending(path: Self.weightsName)).load(into: &network)
    var trained = JSONObject()
    if case .object(let object)? = fields.values["trained"] { trained = object }
    try self.init(
      network, record: Record(ConfigurationFields(trained, source: fields.source)))
  }

  /// Refuses a folder that holds another kind of model, before minutes of work.
  ///
  /// - Throws: ``TrainingError/folderInUse(path:)``.
  public static func checkFolder(_ folder: URL) throws(TrainingError) {
    let path = folder.appending(path: configurationName)
    guard FileManager.default.fileExists(atPath: path.path) else { return }
    let fields = try? ConfigurationFields(contentsOf: path)
    guard (try? fields?.string("_class_name", or: "")) == className else {
      throw .folderInUse(path: folder.path)
    }
  }

  /// Writes the folder, in the place of an older classifier.
  ///
  /// - Throws: an error that names the file if one can't be written.
  public func save(to folder: URL) throws {
    var configuration = network.configuration.object
    configuration["trained"] = .object(record.object)
    let text = JSONValue.object(configuration).indentedText + "\n"
    let folders = OutputFolders()
    try folders.write(weights, to: folder.appending(path: Self.weightsName).path)
    try folders.write(
      Array(text.utf8), to: folder.appending(path: Self.configurationName).path)
    try folders.finish()
  }
}

extension PictureClassifier.Configuration {
  fileprivate var object: JSONObject {
    [
      "_class_name": .string("PictureClassifier"),
      "side": JSONValue(side),
      "block_out_channels": JSONValue(blockOutChannels),
      "norm_num_groups": JSONValue(normNumGroups),
      "class_names": .array(classNames.map { .string($0) }),
    ]
  }

  /// The configuration in a `config.json`.
  ///
  /// - Throws: `CheckpointError` for fields of other types, and for sizes that can't be built.
  public init(_ fields: ConfigurationFields) throws(CheckpointError) {
    self.init(classNames: try fields.strings("class_names", or: []))
    side = try fields.integer("side", or: side)
    blockOutChannels = try fields.integers("block_out_channels", or: blockOutChannels)
    normNumGroups = try fields.integer("norm_num_groups", or: normNumGroups)
    guard let problem else { return }
    throw .unknownModel(source: fields.source, reason: problem)
  }

  /// Why such a network can't be built; nil if it can.
  private var problem: String? {
    if !(2...10_000).contains(classNames.count) || Set(classNames).count < classNames.count {
      return "class_names has \(classNames.count) entries, and 2 to 10000 different ones are needed"
    }
    if !(1...6).contains(blockOutChannels.count) || !(1...256).contains(side) {
      return "\(blockOutChannels.count) blocks for pictures of \(side) pixels a side"
    }
    if !(1...4096).contains(normNumGroups)
      || !blockOutChannels.allSatisfy({ (1...4096).contains($0) && $0 % normNumGroups == 0 })
    {
      return "block_out_channels are \(blockOutChannels), and norm_num_groups \(normNumGroups)"
    }
    return nil
  }
}

extension TrainedClassifier.Record {
  fileprivate var object: JSONObject {
    [
      "steps": JSONValue(steps),
      "seed": JSONValue(seed),
      "pictures": JSONValue(trainingCount),
      "held_out": JSONValue(heldOutCount),
      "accuracy": JSONValue(trainingAccuracy),
      "held_out_accuracy": JSONValue(heldOutAccuracy),
    ]
  }

  fileprivate init(_ fields: ConfigurationFields) throws(CheckpointError) {
    steps = try fields.integer("steps", or: 0)
    seed = fields.values["seed"]?.integer(as: UInt64.self) ?? 0
    trainingCount = try fields.integer("pictures", or: 0)
    heldOutCount = try fields.integer("held_out", or: 0)
    trainingAccuracy = try fields.number("accuracy", or: 0)
    heldOutAccuracy = try fields.number("held_out_accuracy", or: 0)
  }
}
