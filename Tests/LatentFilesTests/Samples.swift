import LatentFiles
import Tensors
import TestSupport

/// Latents and files that the tests share.
enum Samples {
  /// Smooth numbers with some noise, in the latent's range; the same for the same arguments.
  static func latent(height: Int, width: Int, channelCount: Int, seed: UInt64 = 1) -> Tensor {
    var source = SeededRandomSource(state: seed)
    var scalars: [Float] = []
    for y in 0..<height {
      for x in 0..<width {
        for channel in 0..<channelCount {
          let noise = Float(source.next() >> 40) / Float(1 << 24) - 0.5
          let wave = Float((x * (channel + 2) + y * 3) % 17) / 4 - 2
          scalars.append(wave + noise)
        }
      }
    }
    return Tensor(scalars, shape: [1, height, width, channelCount])
  }

  /// A model's description.
  static let model = LatentModel(
    name: "taesd", className: "AutoencoderTiny",
    sha256: String(repeating: "0123456789abcdef", count: 4),
    scalingFactor: 0.18215, shiftFactor: 0.1159)

  /// The description of a latent of this size at eight pixels a value.
  static func metadata(
    height: Int, width: Int, values: LatentMetadata.Values = .mean, alphaBitDepth: Int = 0
  ) -> LatentMetadata {
    LatentMetadata(
      program: "lvae 1.0.0", model: model, spatialFactor: 8, values: values,
      seed: values == .sample ? .max : nil,
      source: LatentSource(
        width: width * 8 - 3, height: height * 8 - 7, alphaBitDepth: alphaBitDepth,
        sha256: String(repeating: "f", count: 64), format: "png"))
  }

  /// A file with a latent of this size.
  static func file(
    height: Int = 5, width: Int = 7, channelCount: Int = 4, storage: LatentStorage = .int8,
    values: LatentMetadata.Values = .mean, alphaBitDepth: Int = 0
  ) throws -> LatentFile {
    let latent = latent(height: height, width: width, channelCount: channelCount)
    var file = LatentFile(
      metadata: metadata(
        height: height, width: width, values: values, alphaBitDepth: alphaBitDepth),
      latent: try LatentQuantizer(storage: storage).quantize(latent))
    if alphaBitDepth > 0 {
      file.alpha = alpha(height: height * 8 - 7, width: width * 8 - 3, bitDepth: alphaBitDepth)
    }
    return file
  }

  /// A soft disc.
  static func alpha(height: Int, width: Int, bitDepth: Int) -> AlphaPlane {
    let greatest = (1 << bitDepth) - 1
    let values = (0..<height * width).map { index in
      let (y, x) = (index / width - height / 2, index % width - width / 2)
      return UInt16(max(0, greatest - (x * x + y * y) * greatest / 900))
    }
    return AlphaPlane(height: height, width: width, bitDepth: bitDepth, values: values)
  }
}
