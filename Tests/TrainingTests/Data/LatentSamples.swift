import Foundation
import LatentFiles
import Models
import Pipelines
import Tensors
import TestSupport

/// A folder with a tiny autoencoder, `kl`, and latents as if it had made them.
struct LatentSamples {
  let folder: TemporaryFolder
  let model: LatentModel

  init() throws {
    folder = try TemporaryFolder()
    try tinyAutoencoderKL().save(to: URL(filePath: folder("kl")))
    model = try PretrainedAutoencoder(contentsOf: URL(filePath: folder("kl"))).latentModel
  }

  /// The bytes of a file: numbers in −1…1, and log-variances of −2 if there are moments.
  func bytes(
    seed: Int, size: (Int, Int) = (8, 8), moments: Bool = false,
    change: (inout LatentModel) -> Void = { _ in }
  ) throws -> [UInt8] {
    var model = model
    change(&model)
    var latent = sampleTensor([1, size.0, size.1, 4], seed: UInt64(seed + 1))
    if moments {
      latent = latent.concatenatedChannels(with: Tensor(repeating: -2, shape: latent.shape))
    }
    let metadata = LatentMetadata(
      program: "test", model: model, spatialFactor: 4, values: moments ? .moments : .mean)
    return try LatentFile(
      metadata: metadata, latent: LatentQuantizer(storage: .f32).quantize(latent)
    ).encoded()
  }

  /// Writes a file and the folders that it lies in.
  func write(_ name: String, _ bytes: [UInt8]) throws {
    let url = URL(filePath: folder(name))
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: url)
  }

  /// Writes `count` latents for each class, `data/cat/0.latent` and so on.
  func writeClasses(
    _ classes: [String] = ["cat", "dog"], count: Int = 6, moments: Bool = false
  ) throws {
    for (place, name) in classes.enumerated() {
      for number in 0..<count {
        try write(
          "data/\(name)/\(number).latent",
          try bytes(seed: place * count + number, moments: moments))
      }
    }
  }
}
