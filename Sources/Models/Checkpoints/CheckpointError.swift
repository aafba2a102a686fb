public import Tensors

/// Why a checkpoint or a model's description can't be had.
public enum CheckpointError: Error, Hashable, CustomStringConvertible {
  /// A safetensors file is wrong.
  case safetensors(SafetensorsError)
  /// A file of PyTorch's is wrong.
  case torch(TorchArchiveError)
  /// Something can't be read; the system's reason.
  case unreadable(path: String, reason: String)
  /// None of the files that would do is there.
  case missingFile(folder: String, expected: [String])
  /// No tensor of this name.
  case missingTensor(name: String, source: String)
  /// Two tensors would get one name.
  case duplicateName(String, source: String)
  /// A JSON file that isn't one.
  case json(path: String, JSONError)
  /// A field of a JSON file is absent or of another type.
  case field(path: String, name: String, expected: String, found: String)
  /// The index of a sharded checkpoint says something impossible.
  case index(path: String, reason: String)
  /// The tensors aren't those that the model's configuration asks for.
  case mismatch(source: String, KeyReport)
  /// The names and shapes aren't those of a model that is known.
  case unknownModel(source: String, reason: String)

  /// What is wrong, and what to do.
  public var description: String {
    switch self {
    case .safetensors(let error): error.description
    case .torch(let error): error.description
    case .unreadable(let path, let reason): "\(path): \(reason)"
    case .missingFile(let folder, let expected):
      "\(folder): has none of \(expected.joined(separator: ", ")); fetch the model's files"
    case .missingTensor(let name, let source):
      "\(source): there is no tensor \"\(name)\"; check that the file belongs to this model"
    case .duplicateName(let name, let source):
      "\(source): two tensors would be named \"\(name)\"; the file holds several models: split it"
    case .json(let path, let error): "\(path): \(error); fetch the file again"
    case .field(let path, let name, let expected, let found):
      "\(path): \"\(name)\" should be \(expected) and is \(found); correct it"
    case .index(let path, let reason): "\(path): \(reason); fetch the model's files again"
    case .mismatch(let source, let report):
      "\(source): the tensors aren't those of the model that its configuration describes; check "
        + "that weights and config.json belong together\n\(report)"
    case .unknownModel(let source, let reason):
      "\(source): \(reason); give a folder with config.json, or a checkpoint of an autoencoder"
    }
  }
}
