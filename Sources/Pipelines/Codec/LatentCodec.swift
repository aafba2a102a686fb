public import Images
public import LatentFiles
package import Models
public import Tensors

/// Pictures → `.latent` files and back, with one autoencoder.
///
/// It is a value: one codec may serve many threads at once.
public struct LatentCodec: Sendable {
  /// The autoencoder, and which one it is.
  public let model: PretrainedAutoencoder
  /// How much memory may be taken; pictures that are too large for it are computed in bands of rows.
  public let memory: MemoryLimit

  /// A codec that uses `model`.
  public init(_ model: PretrainedAutoencoder, memory: MemoryLimit = MemoryLimit()) {
    self.model = model
    self.memory = memory
  }

  private var autoencoder: any Autoencoder { model.autoencoder }

  // MARK: Encoding

  /// Refuses options that this model can't meet, before any work.
  ///
  /// - Throws: ``CodecError/noPosterior(model:className:values:)``.
  public func check(_ options: EncodingOptions) throws(CodecError) {
    if options.values != .mean, !autoencoder.hasPosterior { throw noPosterior(options.values) }
  }

  /// Whether a file with this header is what ``encode(_:sourceSHA256:options:)`` would give.
  public func wouldWrite(
    _ header: LatentHeader, sourceSHA256: String, options: EncodingOptions
  ) -> Bool {
    let metadata = header.metadata
    // What the model is called doesn't matter.
    var sameModel = metadata.model
    sameModel.name = model.name
    return sameModel == model.latentModel && metadata.source?.sha256 == sourceSHA256
      && metadata.values == options.values
      && metadata.seed == (options.values == .sample ? options.seed : nil)
      && metadata.additional == additionalMetadata(options)
      && (options.maximumLoss != nil || header.storage == options.storage)
      && (metadata.preview != nil) == options.includesPreview
  }

  /// A picture as a `.latent` file.
  ///
  /// Pictures of any size are padded at the right and at the bottom to what the network divides by;
  /// decoding cuts that off again.
  ///
  /// - Parameters:
  ///   - image: The picture.
  ///   - sourceSHA256: The SHA-256 of the file it came from, in hexadecimal; kept in the header.
  ///   - options: What is stored, and how.
  /// - Returns: The file, ready to be encoded as bytes.
  /// - Throws: ``CodecError``; `LatentFileError` for values that the storage can't hold.
  public func encode(
    _ image: Image, sourceSHA256: String? = nil, options: EncodingOptions = EncodingOptions()
  ) throws -> LatentFile {
    try file(
      of: try encodedPicture(options.preparation(image), alpha: options.alpha),
      sourceSHA256: sourceSHA256,
      options: options)
  }

  /// What the network makes of a picture, of which ``file(of:sourceSHA256:options:)`` makes files in
  /// several storages.
  ///
  /// - Throws: ``CodecError``.
  package func encodedPicture(
    _ image: Image, alpha policy: AlphaPolicy = .keep
  ) throws -> EncodedPicture {
    let (colors, alpha) = try separate(image, policy)
    let (posterior, meanColors) = try posterior(of: colors)
    return EncodedPicture(
      image: image, colors: colors, alpha: alpha, posterior: posterior, meanColors: meanColors)
  }

  /// The `.latent` file of a picture that went through the network.
  ///
  /// - Throws: as ``encode(_:sourceSHA256:options:)``.
  /// - Precondition: it was encoded with the options' treatment of opacity.
  package func file(
    of picture: EncodedPicture, sourceSHA256: String? = nil, options: EncodingOptions
  ) throws -> LatentFile {
    let posterior = picture.posterior
    let latent = try values(of: posterior, options, sourceSHA256: sourceSHA256)
    guard latent.isFinite else { throw CodecError.nonFiniteLatents(model: model.name) }
    var metadata = LatentMetadata(
      program: Program.nameAndVersion, model: model.latentModel,
      spatialFactor: autoencoder.spatialFactor, values: options.values)
    metadata.seed = options.values == .sample ? options.seed : nil
    metadata.additional = additionalMetadata(options)
    metadata.source = source(of: picture.image, options.alpha, sha256: sourceSHA256)
    if options.includesPreview {
      metadata.preview = LatentPreview(fitting: posterior.mean, to: picture.meanColors)
    }
    let storage = try options.maximumLoss.map { loss in
      try smallestStorage(for: latent, of: picture.colors, maximumLoss: loss)
    }
    let quantizer = LatentQuantizer(storage: storage ?? options.storage)
    return LatentFile(
      metadata: metadata, latent: try quantizer.quantize(latent),
      alpha: picture.alpha.map(AlphaPlane.init))
  }

  /// What the header keeps of settings that the file doesn't show otherwise.
  private func additionalMetadata(_ options: EncodingOptions) -> JSONObject {
    var members = options.additionalMetadata
    if let window = autoencoder.attentionWindow { members["attention_window"] = JSONValue(window) }
    return members
  }

  private func separate(
    _ image: Image, _ policy: AlphaPolicy
  ) throws(CodecError) -> (Image, alpha: Image?) {
    switch policy {
    case .keep:
      if memory.byteCount != nil {
        try check(
          image.separatingByteCount, of: memory.availableByteCount, height: image.height,
          width: image.width)
      }
      return image.separatingAlpha()
    case .flatten(let red, let green, let blue):
      return (image.flattened(red: red, green: green, blue: blue), nil)
    }
  }

  private func values(
    of posterior: DiagonalGaussianDistribution, _ options: EncodingOptions, sourceSHA256: String?
  ) throws -> Tensor {
    switch options.values {
    case .mean: return posterior.mode
    case .sample:
      guard posterior.logVariance != nil else { throw noPosterior(options.values) }
      // A stream for each picture, so that a sample doesn't depend on the other pictures.
      let stream = sourceSHA256.flatMap { UInt64($0.prefix(16), radix: 16) } ?? 0
      var random = PhiloxRandomSource(seed: options.seed).stream(stream)
      return posterior.sample(
        noise: Tensor.randomNormal(shape: posterior.mean.shape, using: &random))
    case .moments:
      guard let moments = posterior.moments else { throw noPosterior(options.values) }
      return moments
    }
  }

  private func noPosterior(_ values: LatentMetadata.Values) -> CodecError {
    .noPosterior(model: model.name, className: model.className, values: values)
  }

  private func source(
    of image: Image, _ policy: AlphaPolicy, sha256: String?
  ) -> LatentSource {
    let facts = image.source
    let keepsGrey: Bool =
      switch policy {
      case .keep: image.channels.isGrey
      case .flatten(let red, let green, let blue):
        image.channels.isGrey && (!image.channels.hasAlpha || (red == green && green == blue))
      }
    return LatentSource(
      width: image.width, height: image.height, colour: keepsGrey ? .grey : .rgb,
      alphaBitDepth: image.channels.hasAlpha ? image.bitDepth : 0,
      orientation: facts.orientation.rawValue, sha256: sha256, format: facts.format?.rawValue)
  }

  /// The smallest storage that costs at most `maximumLoss` dB of PSNR, compared with float32.
  private func smallestStorage(
    for latent: Tensor, of image: Image, maximumLoss: Double
  ) throws -> LatentStorage {
    let target = image.converted(to: .rgb).eightBit()
    func quality(_ latent: Tensor) throws -> Double {
      try picture(of: latent, height: image.height, width: image.width, channels: .rgb)
        .peakSignalToNoiseRatio(to: target)
    }
    let best = try quality(latent)
    for storage in [LatentStorage.int4, .int5, .int6, .int8, .f16] {
      let stored = try LatentQuantizer(storage: storage).quantize(latent).dequantized()
      if try best - quality(stored) <= maximumLoss { return storage }
    }
    return .f32
  }

  // MARK: Decoding

  /// The picture of a `.latent` file.
  ///
  /// - Parameters:
  ///   - file: The file.
  ///   - encoding: What the picture will be written as; the memory for that is counted, too.
  /// - Returns: The picture, with the file's opacity.
  /// - Throws: ``CodecError``, also if the file was made with another model.
  public func decode(_ file: LatentFile, for encoding: ImageEncoding? = nil) throws -> Image {
    let latent = try latents(of: file)
    let factor = autoencoder.spatialFactor
    let (rows, columns) = (latent.shape[1], latent.shape[2])
    let source = file.metadata.source
    let (height, width) = (source?.height ?? rows * factor, source?.width ?? columns * factor)
    let channels: Image.Channels = source?.colour == .grey ? .grey : .rgb
    let colors = try picture(
      of: latent, height: height, width: width, channels: channels,
      laterByteCount: max(
        encoding?.writingByteCount(pixelCount: height * width) ?? 0,
        Image.joiningByteCount(
          pixelCount: height * width, channels: channels,
          alphaBitDepth: file.alpha?.bitDepth ?? 0)))
    guard let alpha = file.alpha?.image else { return colors }
    // The picture gets the opacity's depth, so that nothing of it is lost.
    return (alpha.bitDepth == 16 ? colors.sixteenBit : colors).joining(alpha: alpha)
  }

  /// The latent of a `.latent` file, which must be of this model; of moments, the mean.
  ///
  /// - Returns: `[1, h, w, C]`, in the autoencoder's own range.
  /// - Throws: ``CodecError``.
  public func latents(of file: LatentFile) throws(CodecError) -> Tensor {
    guard file.metadata.model.sha256 == model.sha256 else {
      throw .otherModel(wanted: file.metadata.model, given: model.latentModel)
    }
    let latent = file.latent.dequantized()
    let factor = autoencoder.spatialFactor
    let count = autoencoder.latentChannels
    let stored = file.metadata.values == .moments ? 2 * count : count
    guard latent.shape[3] == stored, file.metadata.spatialFactor == factor else {
      throw .otherShape(
        channels: latent.shape[3], factor: file.metadata.spatialFactor, expectedChannels: stored,
        expectedFactor: factor)
    }
    guard latent.isFinite else { throw .nonFiniteLatents(model: model.name) }
    return stored > count ? latent.channels(0..<count) : latent
  }
}

/// A picture that went through the encoder, before its numbers are stored.
package struct EncodedPicture: Sendable {
  /// The picture.
  let image: Image
  /// What was encoded of it: opaque, with the colours that nobody can see exchanged.
  package let colors: Image
  /// Its opacity, which is kept beside the latent.
  let alpha: Image?
  /// q(z|x), `[1, h, w, C]`.
  package let posterior: DiagonalGaussianDistribution
  let meanColors: MeanColors
}

/// What is kept of a picture, and how.
public struct EncodingOptions: Sendable, Hashable {
  /// How numbers are stored.
  public var storage: LatentStorage
  /// Which numbers are stored.
  public var values: LatentMetadata.Values
  /// Of the noise, for `LatentMetadata.Values.sample`; each picture has a stream of its own.
  public var seed: UInt64
  /// What is done about opacity.
  public var alpha: AlphaPolicy
  /// If given, the smallest storage that costs at most so many dB of PSNR is chosen.
  public var maximumLoss: Double?
  /// Whether the header holds a projection to colours, for thumbnails.
  public var includesPreview: Bool
  /// What is done to pictures first.
  public var preparation: PicturePreparation

  /// The usual choices: means in 8 bits, opacity kept.
  public init(
    storage: LatentStorage = .int8, values: LatentMetadata.Values = .mean, seed: UInt64 = 0,
    alpha: AlphaPolicy = .keep, maximumLoss: Double? = nil, includesPreview: Bool = true,
    preparation: PicturePreparation = PicturePreparation()
  ) {
    self.storage = storage
    self.values = values
    self.seed = seed
    self.alpha = alpha
    self.maximumLoss = maximumLoss
    self.includesPreview = includesPreview
    self.preparation = preparation
  }

  /// What the header keeps of settings that the file doesn't show otherwise.
  var additionalMetadata: JSONObject {
    var members = JSONObject()
    if case .flatten(let red, let green, let blue) = alpha {
      let digits = [red, green, blue].map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
      members[Self.flattenedKey] = .string("#" + digits.joined())
    }
    for (key, value) in preparation.metadata { members[key] = value }
    if let maximumLoss { members["max_loss_db"] = .number("\(maximumLoss)") }
    return members
  }

  private static let flattenedKey = "flattened"

  /// The colour that a picture was laid over before it was encoded; nil if it wasn't.
  package static func flatteningColor(
    in metadata: LatentMetadata
  ) -> (red: UInt8, green: UInt8, blue: UInt8)? {
    guard case .string(let text)? = metadata.additional[flattenedKey], text.utf8.count == 7,
      text.hasPrefix("#"), let value = UInt32(text.dropFirst(), radix: 16)
    else { return nil }
    return (UInt8(value >> 16 & 255), UInt8(value >> 8 & 255), UInt8(value & 255))
  }
}

extension Image {
  /// The same picture with 16-bit samples.
  fileprivate var sixteenBit: Image {
    guard case .eightBit(let samples) = samples else { return self }
    return Image(
      width: width, height: height, channels: channels,
      samples: .sixteenBit(samples.map { UInt16($0) * 257 }), source: source)
  }
}

extension AlphaPlane {
  /// A grey picture as a plane of opacity.
  init(_ image: Image) {
    let values: [UInt16] =
      switch image.samples {
      case .eightBit(let samples): samples.map(UInt16.init)
      case .sixteenBit(let samples): samples
      }
    self.init(height: image.height, width: image.width, bitDepth: image.bitDepth, values: values)
  }

  /// The plane as a grey picture.
  var image: Image {
    let samples: Image.Samples =
      bitDepth == 8
      ? .eightBit(values.map { UInt8(truncatingIfNeeded: $0) }) : .sixteenBit(values)
    return Image(width: width, height: height, channels: .grey, samples: samples)
  }
}
