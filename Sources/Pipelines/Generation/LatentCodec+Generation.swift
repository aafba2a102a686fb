public import Images
import Models
public import Tensors

extension LatentCodec {
  /// The latent of a picture, the posterior's mean; what is transparent is laid over white.
  ///
  /// - Returns: `[1, h, w, C]`, in the autoencoder's own range.
  /// - Throws: ``CodecError``.
  public func latents(of image: Image) throws -> Tensor {
    let opaque = image.flattened(red: 255, green: 255, blue: 255)
    let latents = try posterior(of: opaque).posterior.mean
    guard latents.isFinite else { throw CodecError.nonFiniteLatents(model: model.name) }
    return latents
  }

  /// The picture of a latent.
  ///
  /// - Parameters:
  ///   - latents: `[1, h, w, C]`, in the autoencoder's own range.
  ///   - height: Rows of the picture; what the latent has beyond them is cut off.
  ///   - width: Columns of the picture.
  /// - Returns: The picture, in 8 bits and in colour.
  /// - Throws: ``CodecError``.
  public func picture(of latents: Tensor, height: Int, width: Int) throws -> Image {
    try picture(of: latents, height: height, width: width, channels: .rgb)
  }

  /// A picture from the prior: see ``LatentPrior/latents(ofPicture:seed:temperature:rows:columns:)``.
  ///
  /// - Throws: ``CodecError``.
  public func sample(
    _ prior: LatentPrior, picture index: Int, seed: UInt64, temperature: Double = 1, height: Int,
    width: Int
  ) throws -> Image {
    let factor = model.autoencoder.spatialFactor
    let latents = prior.latents(
      ofPicture: index, seed: seed, temperature: temperature,
      rows: (height + factor - 1) / factor, columns: (width + factor - 1) / factor)
    return try picture(of: latents, height: height, width: width)
  }
}
