public import Images
public import LatentFiles
public import Models
public import Pipelines
import Tensors

/// Takes pictures through autoencoders, storages and other codecs, and measures what comes back.
public struct PictureEvaluator: Sendable {
  /// The autoencoders.
  public let codecs: [LatentCodec]
  /// How latents are stored.
  public let storages: [LatentStorage]
  /// Whether pictures become JPEG, WebP and PNG files too.
  public let comparesCodecs: Bool

  /// An evaluator.
  ///
  /// - Precondition: there are autoencoders and storages.
  public init(codecs: [LatentCodec], storages: [LatentStorage], comparesCodecs: Bool = true) {
    precondition(
      !codecs.isEmpty && !storages.isEmpty,
      "\(codecs.count) autoencoders and \(storages.count) storages to evaluate")
    self.codecs = codecs
    self.storages = storages
    self.comparesCodecs = comparesCodecs
  }

  /// What the autoencoders make of a picture.
  ///
  /// - Parameters:
  ///   - image: The picture.
  ///   - sourceSHA256: The SHA-256 of its file, which is in the `.latent` file.
  ///   - thumbnailSide: The longest side of thumbnails; nil for none.
  /// - Returns: The figures; those of other codecs are added by ``addCodecs(to:of:)``.
  /// - Throws: as `LatentCodec`.
  public func evaluate(
    _ image: Image, sourceSHA256: String? = nil, thumbnailSide: Int? = nil
  ) throws -> PictureEvaluation {
    let models = try codecs.map {
      try evaluate(image, with: $0, sourceSHA256: sourceSHA256, thumbnailSide: thumbnailSide)
    }
    return PictureEvaluation(
      width: image.width, height: image.height, models: models,
      thumbnail: try thumbnailSide.map { try image.thumbnailFile(longestSide: $0) })
  }

  private func evaluate(
    _ image: Image, with codec: LatentCodec, sourceSHA256: String?, thumbnailSide: Int?
  ) throws -> PictureEvaluation.Model {
    let encoded = try codec.encodedPicture(image)
    var result = PictureEvaluation.Model(posterior: encoded.posterior)
    for storage in storages {
      let latent = try codec.file(
        of: encoded, sourceSHA256: sourceSHA256, options: EncodingOptions(storage: storage))
      let bytes = try latent.encoded()
      let decoded = try codec.decode(LatentFile(decoding: bytes))
      result.stored.append(
        PictureEvaluation.Stored(
          storage: storage,
          measured: PictureQuality(
            of: decoded, comparedWith: encoded.colors, byteCount: bytes.count),
          entropyBitsPerPixel: latent.latent.entropyBits.map { $0 / Double(image.pixelCount) }))
      if let side = thumbnailSide, result.thumbnails == nil {
        result.thumbnails = PictureEvaluation.Thumbnails(
          decoded: try decoded.thumbnailFile(longestSide: side),
          errors: try decoded.errorMap(to: encoded.colors).thumbnailFile(longestSide: side))
      }
    }
    if encoded.posterior.logVariance != nil {
      result.evidence = try evidence(of: encoded, codec, sourceSHA256: sourceSHA256)
    }
    return result
  }

  /// What the picture costs, by a sample of its posterior.
  private func evidence(
    of encoded: EncodedPicture, _ codec: LatentCodec, sourceSHA256: String?
  ) throws -> EvidenceSample {
    let sample = try codec.file(
      of: encoded, sourceSHA256: sourceSHA256,
      options: EncodingOptions(storage: .f32, values: .sample, includesPreview: false))
    let decoded = try codec.decode(sample)
    return EvidenceSample(
      sampleCount: 3 * encoded.colors.pixelCount,
      meanSquaredError: decoded.meanSquaredError(to: encoded.colors),
      divergence: Double(encoded.posterior.klDivergence().scalars[0]))
  }

  /// Adds what other codecs make of the picture, at the sizes of its `.latent` files.
  ///
  /// They get its colours without opacity. A codec that can't hold a picture as large as this is
  /// left out.
  ///
  /// - Throws: `ImageError`.
  public func addCodecs(to evaluation: inout PictureEvaluation, of image: Image) throws {
    guard comparesCodecs else { return }
    evaluation.pngBytes = try image.encoded(as: .png()).count
    let colors = image.separatingAlpha().colors.eightBit()
    let sizes = evaluation.models.flatMap { $0.stored.map(\.measured.bytes) }
    let longestSide = max(colors.width, colors.height)
    for codec in ReferenceCodec.allCases where longestSide <= codec.sideLimit {
      evaluation.comparisons.append(
        try CodecComparison(of: colors, codec: codec, byteCounts: sizes))
    }
  }
}

/// What is known of one picture.
public struct PictureEvaluation: Sendable {
  /// A picture through one autoencoder.
  public struct Model: Sendable {
    /// q(z|x), `[1, h, w, C]`.
    public let posterior: DiagonalGaussianDistribution
    /// What each storage gives, in the evaluator's order.
    public internal(set) var stored: [Stored] = []
    /// For the ELBO; nil for a deterministic autoencoder.
    public internal(set) var evidence: EvidenceSample?
    /// What the first storage decodes to.
    public internal(set) var thumbnails: Thumbnails?
  }

  /// A latent in one storage.
  public struct Stored: Hashable, Sendable {
    /// How it is stored.
    public let storage: LatentStorage
    /// The `.latent` file's size, and how like the picture what it decodes to.
    public let measured: PictureQuality
    /// The codes' zeroth-order entropy; nil for floating-point storage.
    public let entropyBitsPerPixel: Double?
  }

  /// Small pictures as PNG files.
  public struct Thumbnails: Sendable {
    /// What was decoded.
    public let decoded: [UInt8]
    /// Where it differs: `Image.errorMap(to:limit:)`, made small.
    public let errors: [UInt8]
  }

  /// Columns of the picture.
  public let width: Int
  /// Rows of the picture.
  public let height: Int
  /// In the evaluator's order.
  public let models: [Model]
  /// What the other codecs made of it.
  public internal(set) var comparisons: [CodecComparison] = []
  /// The size of the picture as a PNG file; nil if codecs aren't compared.
  public internal(set) var pngBytes: Int?
  /// The picture, small, as a PNG file.
  public let thumbnail: [UInt8]?
}

extension Image {
  /// A small version as a PNG file, in 8 bits; opacity is blended over grey.
  fileprivate func thumbnailFile(longestSide side: Int) throws(ImageError) -> [UInt8] {
    try thumbnail(longestSide: side).eightBit().flattened(red: 128, green: 128, blue: 128)
      .encoded(as: .png())
  }
}
