import Foundation
import Layers
import Models
import Tensors

extension OutputFolders {
  /// Writes a model as a folder that diffusers loads: the weights, and last `config.json`, since it
  /// makes the folder a model.
  ///
  /// - Throws: `FileError`; `SafetensorsError` for weights beyond the range of `scalarType`.
  func writeModel(
    _ model: some ParameterContainer, configuration: String, to folder: URL,
    as scalarType: ScalarType
  ) throws {
    let weights = try Safetensors.encoded(
      tensors: WeightCollector(model).tensors, as: scalarType, metadata: ["format": "pt"])
    try write(weights, to: folder.appending(path: "diffusion_pytorch_model.safetensors").path)
    try write(Array(configuration.utf8), to: folder.appending(path: "config.json").path)
  }
}
