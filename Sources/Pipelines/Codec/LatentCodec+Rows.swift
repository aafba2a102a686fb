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
  ///   - laterByteCount: What has to be taken beside the result once the network is done.
  ///   - available: How many bytes may be taken.
  /// - Returns: The plan.
  /// - Throws: `CodecError.tooLarge(height:width:needed:available:)`.
  package func plan(
    _ direction: CodingDirection, height: Int, width: Int, pictureByteCount: Int = 0,
    laterByteCount: Int = 0, available: Int? = nil
  ) throws(CodecError) -> StreamingPlan {
    let autoencoder = model.autoencoder
    let factor = autoencoder.spatialFactor
    let (rows, columns) = ((height + factor - 1) / factor, (width + factor - 1) / factor)
    let available = available ?? memory.availableByteCount
    if available < .max {
      try check(
        pictureByteCount + laterByteCount, of: available, height: height, width: width)
    }
    // Planning takes memory, too, and leaves it lying about.
    defer { if memory.byteCount != nil, available < .max { TensorMemory.trim() } }
    do throws(StreamingError) {
      return try autoencoder.plan(
        direction, height: rows * factor, width: columns * factor,
        byteCount: available == .max ? .max : available - pictureByteCount)
    } catch {
      throw tooLarge(
        pictureByteCount + error.neededByteCount, of: available, height: height, width: width)
    }
  }

  /// Refuses a picture for whose file's header it is sure that it won't fit into ``memory``: neither
  /// its pixels have been read then, nor has anything been computed.
  ///
  /// - Parameters:
  ///   - bytes: The picture's file.
  ///   - options: What is done with it.
  /// - Throws: `CodecError.tooLarge(height:width:needed:available:)`, and `ImageError` for a header
  ///   that can't be read.
  public func checkMemory(
    forPictureIn bytes: [UInt8], options: EncodingOptions = EncodingOptions()
  ) throws {
    guard memory.byteCount != nil else { return }
    let footprint = try ImageFootprint(ofPictureIn: bytes)
    let (height, width) = (footprint.height, footprint.width)
    let available = memory.availableByteCount
    try check(footprint.readingByteCount, of: available, height: height, width: width)
    // The file's bytes are gone when the picture is computed.
    var picture = footprint.byteCount - bytes.count
    if footprint.channels.hasAlpha {
      try check(picture + footprint.alphaByteCount, of: available, height: height, width: width)
      picture += footprint.byteCount
    }
    _ = try plan(
      .encode, height: height, width: width, pictureByteCount: picture, available: available)
  }

  /// Refuses what takes more bytes than are available.
  func check(
    _ byteCount: Int, of available: Int, height: Int, width: Int
  ) throws(CodecError) {
    guard byteCount > available else { return }
    throw tooLarge(byteCount, of: available, height: height, width: width)
  }

  private func tooLarge(
    _ byteCount: Int, of available: Int, height: Int, width: Int
  ) -> CodecError {
    let taken = memory.byteCount.map { $0 - available } ?? 0
    return .tooLarge(
      height: height, width: width, needed: taken + byteCount,
      available: memory.byteCount ?? available)
  }

  /// The posterior of an opaque picture, padded to what the network divides by, and the picture's
  /// mean colours.
  func posterior(
    of image: Image
  ) throws -> (posterior: DiagonalGaussianDistribution, colors: MeanColors) {
    let autoencoder = model.autoencoder
    let factor = autoencoder.spatialFactor
    let rows = (image.height + factor - 1) / factor
    let columns = (image.width + factor - 1) / factor
    var colors = MeanColors(rows: rows, columns: columns, factor: factor)
    let posterior = try inLane(.encode, height: image.height, width: image.width) { plan in
      if plan.isWhole {
        let padded = image.tensor(rows: 0..<rows * factor, width: columns * factor)
        colors.add(padded)
        return autoencoder.encode(padded)
      }
      let picture = PictureRows(height: rows * factor, width: columns * factor) { rows in
        let band = image.tensor(rows: rows, width: columns * factor)
        colors.add(band)
        return band
      }
      return try autoencoder.encode(picture, following: plan)
    }
    return (posterior, colors)
  }

  /// Runs `body` with a plan for a picture, beside other pictures.
  private func inLane<Result>(
    _ direction: CodingDirection, height: Int, width: Int, pictureByteCount: Int = 0,
    laterByteCount: Int = 0, _ body: (StreamingPlan) throws -> Result
  ) throws -> Result {
    let whole = try plan(direction, height: height, width: width, available: .max)
    return try ComputeLanes.shared.run(byteCount: whole.peakByteCount) {
      let plan = try plan(
        direction, height: height, width: width, pictureByteCount: pictureByteCount,
        laterByteCount: laterByteCount)
      defer { if memory.byteCount != nil, !plan.isWhole { TensorMemory.trim() } }
      return try body(plan)
    }
  }

  /// The picture of latents `[1, h, w, C]` or moments `[1, h, w, 2C]`.
  ///
  /// `laterByteCount` bytes are taken beside it when it is there.
  ///
  /// - Throws: ``CodecError``, for pixels that aren't finite too.
  func picture(
    of latent: Tensor, height: Int, width: Int, channels: Image.Channels, laterByteCount: Int = 0
  ) throws -> Image {
    let autoencoder = model.autoencoder
    let count = autoencoder.latentChannels
    let mean = latent.shape[3] > count ? latent.channels(0..<count) : latent
    return try inLane(
      .decode, height: latent.shape[1] * autoencoder.spatialFactor,
      width: latent.shape[2] * autoencoder.spatialFactor,
      pictureByteCount: height * width * channels.count, laterByteCount: laterByteCount
    ) { plan in
      if plan.isWhole {
        let pixels = autoencoder.decode(mean).cropped(height: height, width: width)
        guard pixels.isFinite else { throw CodecError.nonFinitePixels(model: model.name) }
        return Image(pixels, channels: channels)
      }
      var builder = ImageBuilder(width: width, height: height, channels: channels)
      try autoencoder.decode(mean, following: plan) { rows in
        guard rows.isFinite else { throw CodecError.nonFinitePixels(model: model.name) }
        builder.append(rows)
      }
      return builder.image()
    }
  }
}
