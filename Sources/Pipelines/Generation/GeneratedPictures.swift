package import Images
package import Tensors

/// Writes the pictures of one command, which say in a note what made them, and leaves pictures of
/// others alone.
package struct GeneratedPictures: Sendable {
  private let command: String
  private let replacesAll: Bool
  private let folders = OutputFolders()

  /// - Parameters:
  ///   - command: What makes them, the beginning of their notes: `lvae sample`.
  ///   - force: Whether other pictures may be replaced too.
  package init(command: String, force: Bool) {
    self.command = command
    replacesAll = force
  }

  private var beginning: String { "made by \(command): " }

  /// Refuses a place where something stands that this command didn't make.
  ///
  /// - Throws: ``RefusedOverwrite``.
  package func check(_ path: String) throws(RefusedOverwrite) {
    guard !replacesAll, (try? SystemCalls.status(of: path, followingLinks: false)) != nil else {
      return
    }
    let bytes = try? FileReading.bytes(of: InputFile(path: path, relativePath: path))
    guard let bytes, let note = Image.note(in: bytes), note.hasPrefix(beginning) else {
      throw RefusedOverwrite(path: path)
    }
  }

  /// Writes a PNG file that appears when it is whole.
  ///
  /// - Parameters:
  ///   - image: The picture.
  ///   - note: How it was made.
  ///   - settings: The same for programs, a text of its own; see ``settings(in:)``.
  ///   - path: Where it goes; the folder is made if it is missing.
  /// - Throws: ``RefusedOverwrite``, ``FileError``, `ImageError`.
  package func write(
    _ image: Image, note: String, settings: JSONObject? = nil, to path: String
  ) throws {
    try check(path)
    try folders.write(try file(of: image, note: note, settings: settings), to: path)
  }

  /// The bytes of a PNG file that says how it was made: see ``write(_:note:settings:to:)``.
  ///
  /// - Throws: `ImageError`.
  package func file(
    of image: Image, note: String, settings: JSONObject? = nil
  ) throws -> [UInt8] {
    let text = settings.map {
      [PNGText(keyword: Self.settingsKeyword, text: JSONValue.object($0).text)]
    }
    return try image.encoded(as: .png(text: text ?? []), note: beginning + note)
  }

  private static let settingsKeyword = "lvae"

  /// The settings that a picture was made with; nil where a file has none.
  package static func settings(in file: [UInt8]) -> JSONObject? {
    let texts = (try? PNGText.notes(in: file)) ?? []
    guard let text = texts.first(where: { $0.keyword == settingsKeyword })?.text,
      case .object(let settings)? = try? JSONParser.parse(Array(text.utf8))
    else { return nil }
    return settings
  }

  /// What the notes of all commands begin with.
  package static let noteBeginning = "made by lvae "

  /// Puts the names of all pictures on the disk.
  ///
  /// - Throws: ``FileError``.
  package func finish() throws(FileError) { try folders.finish() }
}

extension PretrainedAutoencoder {
  /// Which model it is, for notes: the name and the hash of its weights.
  package var identification: String { "model \(name), weights \(sha256)" }
}
