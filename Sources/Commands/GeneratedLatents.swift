import Foundation
import LatentFiles
import Models
import Pipelines
import Tensors

/// The `.latent` files of pictures that were drawn.
enum GeneratedLatents {
  private static let key = "drawn"

  /// Refuses a place where something stands that `lvae diffuse-sample` didn't make.
  static func check(_ path: String, _ command: DiffuseSampleCommand) throws {
    guard !command.force, FileManager.default.fileExists(atPath: path) else { return }
    let header = try? LatentFile.readHeader(contentsOf: URL(filePath: path))
    guard header?.metadata.additional[key] != nil else { throw RefusedOverwrite(path: path) }
  }

  /// Writes latents `[1, h, w, C]`, in the autoencoder's own range, without loss, so that
  /// `lvae decode` gives the same picture.
  static func write(
    _ latents: Tensor, of model: PretrainedAutoencoder, settings: JSONObject, to path: String,
    _ command: DiffuseSampleCommand
  ) throws {
    try check(path, command)
    var metadata = LatentMetadata(
      program: Program.nameAndVersion, model: model.latentModel,
      spatialFactor: model.autoencoder.spatialFactor, values: .mean)
    metadata.additional[key] = .object(settings)
    let latent = try LatentQuantizer(storage: .f32).quantize(latents)
    let folders = OutputFolders()
    try folders.write(try LatentFile(metadata: metadata, latent: latent).encoded(), to: path)
    try folders.finish()
  }
}
