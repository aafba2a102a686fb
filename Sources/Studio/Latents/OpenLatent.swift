import Images
import LatentFiles
import Models
import Pipelines
import Synchronization
import Tensors
import Training

/// A latent that a client works with: of a picture that was sent, of a `.latent` file, or drawn from
/// the prior.
final class OpenLatent: Sendable {
  /// Where it came from.
  enum Origin: String {
    case picture, file, prior
  }

  /// The model that it belongs to.
  let codec: LatentCodec
  let origin: Origin
  /// The picture that was sent; nil if none was.
  let picture: EncodedPicture?
  /// The file that was sent; nil if none was.
  let file: LatentFile?
  /// The picture's file's SHA-256 and size.
  let sourceSHA256: String?
  let sourceByteCount: Int
  /// q(z|x), or a latent without a variance.
  let posterior: DiagonalGaussianDistribution
  /// The picture's size.
  let height, width: Int
  /// The picture's colours, which reconstructions are compared with; nil if there is none.
  let original: Image?
  private let results = Mutex<[(key: String, result: Compressed)]>([])
  private static let resultLimit = 4

  /// The latent of a picture.
  ///
  /// - Throws: `CodecError`.
  init(_ bytes: [UInt8], picture image: Image, codec: LatentCodec) throws {
    self.codec = codec
    origin = .picture
    let encoded = try codec.encodedPicture(image)
    picture = encoded
    file = nil
    sourceSHA256 = SHA256.hexadecimal(of: bytes)
    sourceByteCount = bytes.count
    posterior = encoded.posterior
    (height, width) = (image.height, image.width)
    original = encoded.colors.eightBit().converted(to: .rgb)
  }

  /// The latent of a file.
  ///
  /// - Throws: `CodecError`.
  init(_ file: LatentFile, byteCount: Int, codec: LatentCodec) throws {
    self.codec = codec
    origin = .file
    picture = nil
    self.file = file
    sourceSHA256 = file.metadata.source?.sha256
    sourceByteCount = byteCount
    let mean = try codec.latents(of: file)
    posterior =
      file.metadata.values == .moments
      ? DiagonalGaussianDistribution(moments: file.latent.dequantized())
      : DiagonalGaussianDistribution(mean: mean, logVariance: nil)
    let factor = codec.model.autoencoder.spatialFactor
    height = file.metadata.source?.height ?? mean.shape[1] * factor
    width = file.metadata.source?.width ?? mean.shape[2] * factor
    original = nil
  }

  /// A latent from the prior.
  init(_ latents: Tensor, height: Int, width: Int, codec: LatentCodec) {
    self.codec = codec
    origin = .prior
    picture = nil
    file = nil
    sourceSHA256 = nil
    sourceByteCount = 0
    posterior = DiagonalGaussianDistribution(mean: latents, logVariance: nil)
    (self.height, self.width) = (height, width)
    original = nil
  }

  /// About how much memory it takes.
  var byteCount: Int {
    let pixels = height * width
    return posterior.mean.shape.scalarCount * 8 + pixels * (original == nil ? 3 : 12)
      + pixels * 3 * Self.resultLimit
  }

  // MARK: Compressing

  /// What a storage makes of the picture.
  struct Compressed: Sendable {
    /// The `.latent` file.
    let bytes: [UInt8]
    let storage: LatentStorage
    /// What it decodes to.
    let decoded: Image
    /// How good that is; nil without a picture to compare with.
    let quality: PictureQuality?
  }

  /// The file in a storage, and the picture that it decodes to; the last few are kept.
  ///
  /// - Throws: ``Problem`` for a latent that is no picture's, `CodecError`, `LatentFileError`.
  func compressed(_ options: EncodingOptions) throws -> Compressed {
    let key = "\(options.storage) \(options.values) \(options.seed) \(options.maximumLoss ?? -1)"
    if let known = results.withLock({ $0.first { $0.key == key }?.result }) { return known }
    let file = try file(options)
    let bytes = try file.encoded()
    let decoded = try codec.decode(file)
    let quality = original.map {
      PictureQuality(
        of: decoded, comparedWith: $0, byteCount: bytes.count)
    }
    let result = Compressed(
      bytes: bytes, storage: file.latent.storage, decoded: decoded, quality: quality)
    results.withLock { results in
      results.append((key, result))
      if results.count > Self.resultLimit { results.removeFirst() }
    }
    return result
  }

  private func file(_ options: EncodingOptions) throws -> LatentFile {
    if let picture {
      try codec.check(options)
      return try codec.file(of: picture, sourceSHA256: sourceSHA256, options: options)
    }
    guard let file else {
      throw Problem.badRequest("this latent was drawn and is no picture's; render it instead")
    }
    return file
  }
}
