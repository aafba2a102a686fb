import Foundation
import Images
import LatentFiles
import Models
import Pipelines
import Tensors

/// `.latent` files to pictures of one format, as files or in tars.
struct LatentDecoding: Sendable {
  let models: LatentModels
  let format: DecodeCommand.Format
  let quality: Int
  let attention: AttentionOptions.Reach
  let hashes = SourceHashes()

  /// A latent that was read.
  struct Loaded: Sendable {
    let file: LatentFile
    let note: DecodingNote
  }

  /// A picture that was decoded.
  struct Decoded: Sendable {
    let image: Image
    let note: DecodingNote
    let model: String
    let milliseconds: Double
  }

  /// What a line of JSON says about a picture.
  struct Facts: Encodable, Sendable {
    let bytes, width, height: Int
    let model: String
    let computeMilliseconds: Double
  }

  /// What the pictures depend on, as options on the command line.
  var settings: [String: String] {
    var settings = attention.settings
    settings["format"] = format.rawValue
    if format != .png { settings["quality"] = "\(quality)" }
    return settings
  }

  /// What a picture says that is made of the `.latent` file with this SHA-256.
  private func note(of sha256: String) -> DecodingNote {
    DecodingNote(latent: sha256, format, quality: quality, attention: attention)
  }

  // MARK: Files

  /// The stages for files.
  var job: FileJob<Loaded, Decoded, Facts> {
    FileJob(
      examine: { file in
        let note = try DecodingNote(ofPictureAt: file.outputURL)
        guard let note else { return .foreign }
        let sha256 = try SHA256.hexadecimal(ofFileAt: file.input.url)
        guard note == self.note(of: sha256) else { return .outdated }
        hashes.note(sha256, of: file)
        return .upToDate
      },
      read: { file in
        let sha256 = try SHA256.hexadecimal(ofFileAt: file.input.url)
        hashes.note(sha256, of: file)
        return Loaded(
          file: try LatentFile(contentsOf: file.input.url),
          note: note(of: sha256))
      },
      announce: announcement, compute: { _, loaded in try decode(loaded) },
      pack: { _, decoded in pack(decoded) })
  }

  private func announcement(_ loaded: Loaded) -> String? {
    // A model that isn't there is reported later.
    let codec = try? models.codec(for: loaded.file.metadata.model)
    let factor = loaded.file.metadata.spatialFactor
    return codec?.attentionEstimate(
      .decode, height: loaded.file.latent.height * factor,
      width: loaded.file.latent.width * factor)?.description
  }

  // MARK: Tars

  /// The stages for members of tars.
  var members: TarMemberWork<Loaded, Decoded, Facts> {
    TarMemberWork(
      inputExtensions: ["latent"], outputExtension: format.extensions[0],
      isOwn: { DecodingNote(ofPictureIn: $0) != nil },
      isCurrent: { bytes, existing in
        DecodingNote(ofPictureIn: existing) == note(of: SHA256.hexadecimal(of: bytes))
      },
      read: { _, bytes in
        Loaded(
          file: try LatentFile(decoding: bytes),
          note: note(of: SHA256.hexadecimal(of: bytes)))
      },
      compute: { try decode($0) }, pack: { pack($0) })
  }

  // MARK: Stages

  private func decode(_ loaded: Loaded) throws -> Decoded {
    let codec = try models.codec(for: loaded.file.metadata.model)
    let start = ContinuousClock.now
    return Decoded(
      image: try codec.decode(loaded.file, for: encoding), note: loaded.note,
      model: codec.model.name, milliseconds: (ContinuousClock.now - start) / .milliseconds(1))
  }

  private func pack(_ decoded: Decoded) -> FileRun.Result<Facts> {
    FileRun.Result { byteCount in
      Facts(
        bytes: byteCount, width: decoded.image.width, height: decoded.image.height,
        model: decoded.model, computeMilliseconds: decoded.milliseconds)
    } write: { sink in
      // JPEG holds no opacity: such a picture is laid over white.
      let image =
        format == .jpg ? decoded.image.flattened(red: 255, green: 255, blue: 255) : decoded.image
      try image.encode(as: encoding, note: decoded.note.text, to: sink)
    }
  }

  private var encoding: ImageEncoding {
    switch format {
    case .png: .png()
    case .jpg: .jpeg(quality: quality)
    case .webp: .webP(quality: Float(quality))
    }
  }
}

/// What a decoded picture says about the file that it was made from, so that a run which is started
/// again knows its own results and leaves other pictures alone.
struct DecodingNote: Equatable {
  let text: String

  private static let beginning = "decoded by lvae from "

  /// The note of a picture that is made from the `.latent` file with this SHA-256.
  init(
    latent sha256: String, _ format: DecodeCommand.Format, quality: Int,
    attention: AttentionOptions.Reach = .exact
  ) {
    text =
      Self.beginning + sha256 + (format == .png ? "" : " quality \(quality)")
      + (attention == .exact ? "" : " attention \(attention.rawValue)")
  }

  /// The note in a picture that is there; nil if it has none.
  init?(ofPictureAt url: URL) throws {
    self.init(
      ofPictureIn: try FileReading.bytes(of: InputFile(path: url.path, relativePath: url.path)))
  }

  /// The note in a picture's bytes; nil if it has none.
  init?(ofPictureIn bytes: [UInt8]) {
    guard let text = Image.note(in: bytes), text.hasPrefix(Self.beginning) else { return nil }
    self.text = text
  }
}
