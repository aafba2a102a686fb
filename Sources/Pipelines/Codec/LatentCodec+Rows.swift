import Images
package import Models
import Tensors

extension LatentCodec {
  /// How a picture goes through the network.
  ///
  /// - Parameters:
  ///   - direction: Which way.
  ///   - height: Rows of the picture.
  ///   - width: Columns of the picture.
  ///   - pictureByteCount: What has to be taken for the result.
  /// - Returns: The plan.
  /// - Throws: `CodecError.tooLarge(height:width:needed:available:)`.
  package func plan(
    _ direction: CodingDirection, height: Int, width: Int, pictureByteCount: Int = 0
  ) throws(CodecError) -> StreamingPlan {
    let autoencoder = model.autoencoder
    let factor = autoencoder.spatialFactor
    let (rows, columns) = ((height + factor - 1) / factor, (width + factor - 1) / factor)
    let available = memory.availableByteCount
    do throws(StreamingError) {
      return try autoencoder.plan(
        direction, height: rows * factor, width: columns * factor,
        byteCount: available == .max ? .max : available - pictureByteCount)
    } catch {
      let taken = memory.byteCount.map { $0 - available } ?? 0
      throw .tooLarge(
        height: height, width: width, needed: taken + pictureByteCount + error.neededByteCount,
        available: memory.byteCount ?? available)
    }
  }

  /// The posterior of an opaque picture, padded to what the network divides by, and the picture's
  /// mean colours.
  func posterior(
    of image: Image
  ) throws -> (posterior: DiagonalGaussianDistribution, colors: MeanColors) {
    let autoencoder = model.autoencoder
    let plan = try plan(.encode, height: image.height, width: image.width)
    let factor = autoencoder.spatialFactor
    let rows = (image.height + factor - 1) / factor
    let columns = (image.width + factor - 1) / factor
    var colors = MeanColors(rows: rows, columns: columns, factor: factor)
    if plan.isWhole {
      let padded = image.tensor(rows: 0..<rows * factor, width: columns * factor)
      colors.add(padded)
      return (autoencoder.encode(padded), colors)
    }
    let picture = PictureRows(height: rows * factor, width: columns * factor) { rows in
      let band = image.tensor(rows: rows, width: columns * factor)
      colors.add(band)
      return band
    }
    defer { if memory.byteCount != nil { TensorMemory.trim() } }
    return (try autoencoder.encode(picture, following: plan), colors)
  }

  /// The picture of latents `[1, h, w, C]` or moments `[1, h, w, 2C]`.
  ///
  /// - Throws: ``CodecError``, for pixels that aren't finite too.
  func picture(
    of latent: Tensor, height: Int, width: Int, channels: Image.Channels
  ) throws -> Image {
    let autoencoder = model.autoencoder
    let count = autoencoder.latentChannels
    let mean = latent.shape[3] > count ? latent.channels(0..<count) : latent
    let plan = try plan(
      .decode, height: latent.shape[1] * autoencoder.spatialFactor,
      width: latent.shape[2] * autoencoder.spatialFactor,
      pictureByteCount: height * width * channels.count)
    if plan.isWhole {
      let pixels = autoencoder.decode(mean).cropped(height: height, width: width)
      guard pixels.isFinite else { throw CodecError.nonFinitePixels(model: model.name) }
      return Image(pixels, channels: channels)
    }
    defer { if memory.byteCount != nil { TensorMemory.trim() } }
    var builder = ImageBuilder(width: width, height: height, channels: channels)
    try autoencoder.decode(mean, following: plan) { rows in
      guard rows.isFinite else { throw CodecError.nonFinitePixels(model: model.name) }
      builder.append(rows)
    }
    return builder.image()
  }
}
