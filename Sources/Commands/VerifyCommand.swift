import ArgumentParser
import Foundation
import Images
import LatentFiles
import Models
import Pipelines
import Tensors

struct VerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Check that .latent files are whole, and decode to what they were made from.",
    usage: "lvae verify [<options>] <inputs> ...",
    discussion: """
      Without options, checksums, sizes and numbers are checked, which needs no model; of a tar, \
      also that it is whole and has no two members of one name. With --source each file is \
      compared with its picture: the picture must be the one that was encoded, the file is decoded \
      with the model of --model or of `lvae models list`, and the PSNR is shown.
      """)

  @Argument(help: "Files, tars, and folders that are walked with all that is below them.")
  var inputs: [String]

  @Option(
    help: ArgumentHelp(
      "The folder of the pictures that were encoded, or of the tars with them, or such a tar.",
      valueName: "dir"))
  var source: String?

  @Option(
    help: ArgumentHelp(
      "With --source: the least PSNR that is accepted, in decibels.", valueName: "dB"))
  var minPsnr: Double?

  @OptionGroup var modelOptions: ModelOptions
  @OptionGroup var runOptions: RunOptions

  func validate() throws {
    if minPsnr != nil, source == nil { throw ValidationError("--min-psnr needs --source") }
    if modelOptions.model != nil, source == nil {
      throw ValidationError("--model is used with --source only")
    }
  }

  private struct Facts: Encodable {
    var model: String
    var values: String
    var source: String?
    var psnr: Double?
  }

  func run() throws {
    let list = try InputWalker.expandWithTars(inputs, extensions: ["latent"])
    // Nothing is written: the plan only names the files.
    let files = list.files.map { PlannedFile(input: $0, outputPath: "") }
    let pictures = try source.map { try SourcePictures(folder: $0) }
    let given = try modelOptions.model.map { try ModelStore().load($0, halves: .decoder) }
    let models = LatentModels(store: ModelStore(), given: given)
    let minPsnr = minPsnr
    let job = FileJob(
      line: { file, facts in
        facts.psnr.map { "\(HeaderText.decimal($0, digits: 2)) dB  \(file.input.label)" }
      },
      read: { file in
        let latent = try LatentFile(contentsOf: file.input)
        guard latent.latent.dequantized().isFinite else {
          throw CodecError.nonFiniteLatents(model: latent.metadata.model.name)
        }
        return latent
      },
      compute: { file, latent in
        var facts = Facts(
          model: latent.metadata.model.name, values: latent.metadata.values.rawValue)
        if let pictures {
          let picture = try pictures.picture(of: latent, at: file.input)
          facts.source = picture.label
          facts.psnr = try Self.quality(of: latent, picture, models)
        }
        if let minPsnr, let psnr = facts.psnr, psnr < minPsnr {
          throw VerificationError.lowQuality(psnr: psnr, least: minPsnr)
        }
        return facts
      },
      pack: { _, facts in FileRun.Result(bytes: nil, note: facts) })
    try FileCommand(label: "verify", verb: "verified", options: runOptions).run(
      files, list, force: true, job)
  }

  /// The PSNR of the decoded picture, over the colours.
  private static func quality(
    of latent: LatentFile, _ picture: InputFile, _ models: LatentModels
  ) throws -> Double {
    let decoded = try models.codec(for: latent.metadata.model).decode(latent)
    var original = try Image(decoding: FileReading.bytes(of: picture))
    original = PicturePreparation(of: latent.metadata)(original)
    if let (red, green, blue) = EncodingOptions.flatteningColor(in: latent.metadata) {
      original = original.flattened(red: red, green: green, blue: blue)
    }
    // A file without the picture's hash may be of another one.
    guard decoded.width == original.width, decoded.height == original.height else {
      throw VerificationError.sourceChanged(path: picture.label)
    }
    // What lies under full transparency was not encoded.
    return decoded.peakSignalToNoiseRatio(to: original.separatingAlpha().colors)
  }
}

/// The pictures that `.latent` files were made from.
struct SourcePictures: Sendable {
  private let folder: String
  private let pathsByStem: [String: [InputFile]]

  /// Finds all pictures below a folder, those in tars too.
  init(folder: String) throws {
    self.folder = folder
    let extensions = Set(ImageFormat.allCases.flatMap(\.fileExtensions))
    let list = try InputWalker.expandWithTars([folder], extensions: extensions)
    pathsByStem = Dictionary(grouping: list.files) { Self.stem(of: Self.place(of: $0)) }
  }

  /// By what a picture and its latent belong together: their path below the folder, or in the tar.
  private static func place(of file: InputFile) -> String {
    file.member?.name ?? file.relativePath
  }

  /// The path without its extension, `photo.jpg.latent` like `photo.jpg`.
  private static func stem(of path: String) -> String {
    (path as NSString).deletingPathExtension
  }

  /// The picture of a file, which has the same relative path and the hash of the header.
  func picture(of latent: LatentFile, at file: InputFile) throws -> InputFile {
    let stem = Self.stem(of: Self.place(of: file))
    // `a/photo.latent` is of `a/photo.*`, and `a/photo.jpg.latent` of `a/photo.jpg`.
    let candidates =
      pathsByStem[stem, default: []]
      + pathsByStem[Self.stem(of: stem), default: []].filter { Self.place(of: $0) == stem }
    guard !candidates.isEmpty else { throw VerificationError.noSource(folder: folder, stem: stem) }
    guard let wanted = latent.metadata.source?.sha256 else { return candidates[0] }
    for candidate in candidates {
      let bytes = try FileReading.bytes(of: candidate)
      if SHA256.hexadecimal(of: bytes) == wanted { return candidate }
    }
    throw VerificationError.sourceChanged(path: candidates[0].label)
  }
}

/// Why a `.latent` file isn't what its source is.
enum VerificationError: Error, CustomStringConvertible {
  case noSource(folder: String, stem: String)
  case sourceChanged(path: String)
  case lowQuality(psnr: Double, least: Double)

  var description: String {
    switch self {
    case .noSource(let folder, let stem):
      "there is no picture \(stem).* in \(folder); name the folder that was encoded"
    case .sourceChanged(let path):
      "\(path) is not the picture that was encoded: its content has changed; encode it again"
    case .lowQuality(let psnr, let least):
      "the decoded picture has \(HeaderText.decimal(psnr, digits: 2)) dB, less than "
        + "\(HeaderText.decimal(least, digits: 2)); it may be another picture or a wrong model"
    }
  }
}
