import Foundation
import Images
import LatentFiles
import Models
import Pipelines
import Tensors

/// Pictures to `.latent` files with one model and one set of options, as files or in tars.
struct PictureEncoding: Sendable {
  let codec: LatentCodec
  let options: EncodingOptions
  let attention: AttentionOptions.Reach
  let hashes = SourceHashes()

  /// A picture that was read.
  struct Loaded: Sendable {
    let image: Image
    let sha256: String
  }

  /// What a line of JSON says about a picture.
  struct Facts: Encodable, Sendable {
    let bytes, width, height: Int
    let bitsPerPixel: Double
    let storage: String
    let computeMilliseconds: Double
    let warnings: [String]?
  }

  typealias Encoded = FileRun.Result<Facts>

  /// The extensions of pictures.
  static let extensions = Set(ImageFormat.allCases.flatMap(\.fileExtensions))

  /// The model as manifests name it.
  var manifestModel: ManifestHead.Model {
    ManifestHead.Model(name: codec.model.name, sha256: codec.model.sha256)
  }

  /// The settings as manifests keep them.
  var settings: [String: String] {
    EncodingSettings.text(of: options).merging(attention.settings) { $1 }
  }

  // MARK: Files

  /// The stages for files.
  var job: FileJob<Loaded, Encoded, Facts> {
    FileJob(
      examine: { file in
        let header = try LatentFile.readHeader(contentsOf: file.outputURL)
        // It is ours, so whatever is wrong with the rest of it, it may be made anew.
        guard let sha256 = try? SHA256.hexadecimal(ofFileAt: file.input.url),
          codec.wouldWrite(header, sourceSHA256: sha256, options: options),
          (try? LatentFile(contentsOf: file.outputURL)) != nil
        else { return .outdated }
        hashes.note(sha256, of: file)
        return .upToDate
      },
      read: { file in
        let bytes = try FileReading.bytes(of: file.input)
        let sha256 = SHA256.hexadecimal(of: bytes)
        hashes.note(sha256, of: file)
        return try load(bytes, sha256: sha256)
      },
      announce: announcement, compute: { _, loaded in try encode(loaded) },
      pack: { _, encoded in encoded })
  }

  private func announcement(_ loaded: Loaded) -> String? {
    let size = options.preparation.size
    return codec.attentionEstimate(
      .encode, height: size?.height ?? loaded.image.height,
      width: size?.width ?? loaded.image.width)?.description
  }

  // MARK: Tars

  /// The stages for members of tars.
  var members: TarMemberWork<Loaded, Encoded, Facts> {
    TarMemberWork(
      inputExtensions: Self.extensions, outputExtension: "latent",
      isOwn: { (try? LatentFile.readHeader(decoding: $0)) != nil },
      isCurrent: { bytes, existing in
        guard let file = try? LatentFile.readHeader(decoding: existing),
          codec.wouldWrite(file, sourceSHA256: SHA256.hexadecimal(of: bytes), options: options)
        else { return false }
        return (try? LatentFile(decoding: existing)) != nil
      },
      read: { _, bytes in
        guard bytes.count <= ImageLimits().maximumByteCount else {
          throw ImageError.tooManyBytes(
            count: bytes.count, limit: ImageLimits().maximumByteCount)
        }
        return try load(bytes, sha256: SHA256.hexadecimal(of: bytes))
      },
      compute: { try encode($0) }, pack: { $0 })
  }

  // MARK: Stages

  private func load(_ bytes: [UInt8], sha256: String) throws -> Loaded {
    try codec.checkMemory(forPictureIn: bytes, options: options)
    return Loaded(image: try Image(decoding: bytes), sha256: sha256)
  }

  private func encode(_ loaded: Loaded) throws -> Encoded {
    let start = ContinuousClock.now
    let image = loaded.image
    let file = try codec.encode(image, sourceSHA256: loaded.sha256, options: options)
    let bytes = try file.encoded()
    let (height, width) = (
      file.metadata.source?.height ?? image.height, file.metadata.source?.width ?? image.width
    )
    let warnings = image.source.warnings
    return FileRun.Result(
      bytes: bytes,
      note: Facts(
        bytes: bytes.count, width: width, height: height,
        bitsPerPixel: Double(bytes.count * 8) / Double(width * height),
        storage: file.latent.storage.rawValue,
        computeMilliseconds: (ContinuousClock.now - start) / .milliseconds(1),
        warnings: warnings.isEmpty ? nil : warnings))
  }
}

/// The settings of an encoding as options on the command line, which manifests keep.
struct EncodingSettings {
  private static let storage = "storage"
  private static let loss = "max-loss"
  private static let posterior = "posterior"
  private static let seed = "seed"
  private static let alpha = "alpha"
  private static let size = "size"
  private static let mirror = "mirror"
  private static let preview = "preview"

  /// The settings as text.
  static func text(of options: EncodingOptions) -> [String: String] {
    var settings = [
      storage: options.storage.rawValue, posterior: options.values.rawValue,
      alpha: AlphaArgument(policy: options.alpha).text,
      mirror: "\(options.preparation.mirrors)", preview: "\(options.includesPreview)",
    ]
    // The storage is found for each picture then.
    if let maximumLoss = options.maximumLoss {
      settings[loss] = "\(maximumLoss)"
      settings[storage] = nil
    }
    if options.values == .sample { settings[seed] = "\(options.seed)" }
    if let size = options.preparation.size { settings[self.size] = "\(size.width)x\(size.height)" }
    return settings
  }

  /// The options that settings stand for; nil if there is one that isn't known.
  static func options(from settings: [String: String]) -> EncodingOptions? {
    var options = EncodingOptions()
    for (key, text) in settings {
      switch key {
      case storage: LatentStorage(rawValue: text).map { options.storage = $0 }
      case loss: options.maximumLoss = Double(text)
      case posterior: LatentMetadata.Values(rawValue: text).map { options.values = $0 }
      case seed: UInt64(text).map { options.seed = $0 }
      case alpha: AlphaArgument(argument: text).map { options.alpha = $0.policy }
      case size: options.preparation.size = PicturePreparation.Size(text)
      case mirror: options.preparation.mirrors = text == "true"
      case preview: options.includesPreview = text == "true"
      default: return nil
      }
    }
    // What couldn't be read would show here.
    return self.text(of: options) == settings ? options : nil
  }
}
