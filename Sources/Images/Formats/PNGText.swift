import Tensors

/// A note in a PNG file: how it was made, for instance.
public struct PNGText: Sendable, Hashable, Codable {
  /// What the note is about: 1 to 79 printable ASCII characters, single spaces between words.
  public var keyword: String
  /// The note.
  public var text: String

  /// A note.
  public init(keyword: String, text: String) {
    self.keyword = keyword
    self.text = text
  }

  /// The notes of a PNG file in the file's order: those in tEXt and iTXt chunks, where they aren't
  /// compressed, as ``ImageEncoding/png(compression:text:)`` writes them.
  ///
  /// - Throws: ``ImageError/truncated(_:)``, ``ImageError/damaged(_:reason:)``, and
  ///   ``ImageError/unknownFormat`` for another format.
  public static func notes(in file: [UInt8]) throws(ImageError) -> [PNGText] {
    guard ImageFormat(firstBytes: file) == .png else { throw .unknownFormat }
    var notes: [PNGText] = []
    var position = 8
    while true {
      guard let length = file.uint32(at: position, .bigEndian), file.count - position - 12 >= length
      else { throw .truncated(.png) }
      let type = file[position + 4..<position + 8]
      let contents = file[position + 8..<position + 8 + length]
      if type.elementsEqual("IEND".utf8) { return notes }
      let isText = type.elementsEqual("tEXt".utf8)
      if isText || type.elementsEqual("iTXt".utf8) {
        guard
          file.uint32(at: contents.endIndex, .bigEndian)
            == Int(CRC32.checksum(file.span.extracting(position + 4..<contents.endIndex)))
        else { throw .damaged(.png, reason: "the checksum of a text chunk is wrong") }
        let note = isText ? PNGText(latin1: contents) : PNGText(international: contents)
        if let note { notes.append(note) }
      }
      position = contents.endIndex + 4
    }
  }

  /// The contents of a tEXt chunk: keyword, 0, text, both in ISO 8859-1.
  private init?(latin1 contents: ArraySlice<UInt8>) {
    guard let separator = contents.firstIndex(of: 0) else { return nil }
    keyword = Self.string(latin1: contents[..<separator])
    text = Self.string(latin1: contents[(separator + 1)...])
  }

  /// The contents of an iTXt chunk; nil when the text is compressed.
  ///
  /// Keyword, 0, whether compressed, method, language, 0, translated keyword, 0, text in UTF-8.
  private init?(international contents: ArraySlice<UInt8>) {
    guard let separator = contents.firstIndex(of: 0), separator + 3 <= contents.endIndex,
      contents[separator + 1] == 0,
      let language = contents[(separator + 3)...].firstIndex(of: 0),
      let translation = contents[(language + 1)...].firstIndex(of: 0)
    else { return nil }
    keyword = Self.string(latin1: contents[..<separator])
    text = String(decoding: contents[(translation + 1)...], as: UTF8.self)
  }

  private static func string(latin1 bytes: ArraySlice<UInt8>) -> String {
    String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
  }

  /// All notes as the C side takes them: keyword, 0, text, 0, and so on.
  static func nullTerminated(_ notes: [PNGText]) throws(ImageError) -> [UInt8] {
    var bytes: [UInt8] = []
    for note in notes {
      let isPrintable = note.keyword.utf8.allSatisfy { (0x20...0x7E).contains($0) }
      let isTrimmed =
        !note.keyword.hasPrefix(" ") && !note.keyword.hasSuffix(" ")
        && !note.keyword.utf8.elementsPair(0x20)
      guard isPrintable, isTrimmed, (1...79).contains(note.keyword.utf8.count) else {
        throw .cannotEncode(.png, reason: "'\(note.keyword)' can't be a keyword")
      }
      guard !note.text.utf8.contains(0) else {
        throw .cannotEncode(.png, reason: "the text of '\(note.keyword)' contains a zero")
      }
      bytes += Array(note.keyword.utf8) + [0] + Array(note.text.utf8) + [0]
    }
    return bytes
  }
}

extension Sequence<UInt8> {
  /// Whether this byte stands twice in a row somewhere.
  fileprivate func elementsPair(_ byte: UInt8) -> Bool {
    zip(self, dropFirst()).contains { $0 == byte && $1 == byte }
  }
}
