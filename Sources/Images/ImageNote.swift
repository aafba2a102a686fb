// A line of text inside a picture file, that viewers pass over: how the picture was made.

extension Image {
  /// The bytes of a file with this picture and a note, which ``note(in:)`` gives back.
  ///
  /// It stands in a tEXt chunk `Comment` of a PNG file, in a comment segment of a JPEG file, and in
  /// an `XMP ` chunk of a WebP file.
  ///
  /// - Throws: ``ImageError/cannotEncode(_:reason:)`` for a picture that the format can't hold.
  /// - Precondition: the note has at most 65,000 bytes.
  public func encoded(as encoding: ImageEncoding, note: String) throws(ImageError) -> [UInt8] {
    precondition(note.utf8.count <= 65_000, "a note of \(note.utf8.count) bytes")
    switch encoding {
    case .png(let compression, let text):
      let comment = PNGText(keyword: Self.keyword, text: note)
      return try encoded(as: .png(compression: compression, text: text + [comment]))
    case .jpeg:
      return try JPEGComment.inserting(note, into: encoded(as: encoding))
    case .webP, .webPLossless:
      return try WebPNote.appending(
        note, to: encoded(as: encoding), width: width, height: height, hasAlpha: channels.hasAlpha)
    }
  }

  /// Hands the bytes of ``encoded(as:note:)`` to `sink`; PNG is never in memory as a whole.
  ///
  /// - Throws: ``ImageError``, and what `sink` throws.
  /// - Precondition: the note has at most 65,000 bytes.
  public func encode(
    as encoding: ImageEncoding, note: String, to sink: ([UInt8]) throws -> Void
  ) throws {
    precondition(note.utf8.count <= 65_000, "a note of \(note.utf8.count) bytes")
    guard case .png(let compression, let text) = encoding else {
      return try sink(encoded(as: encoding, note: note))
    }
    let comment = PNGText(keyword: Self.keyword, text: note)
    try encode(as: .png(compression: compression, text: text + [comment]), to: sink)
  }

  /// The note in a picture file; nil if there is none, or the file is damaged before it.
  public static func note(in file: [UInt8]) -> String? {
    switch ImageFormat(firstBytes: file) {
    case .png: (try? PNGText.notes(in: file))?.first { $0.keyword == keyword }?.text
    case .jpeg: JPEGComment.first(in: file)
    case .webP: WebPNote.note(in: file)
    case nil: nil
    }
  }

  private static let keyword = "Comment"
}

/// The comment segment of a JPEG file: 0xFFFE, the length in two bytes, text.
private enum JPEGComment {
  /// The file with a comment behind its first segment, which JFIF wants to stay the first.
  static func inserting(_ note: String, into file: [UInt8]) -> [UInt8] {
    let text = Array(note.utf8)
    let length = text.count + 2
    let segment = [0xFF, 0xFE, UInt8(length >> 8), UInt8(length & 255)] + text
    var position = 2
    if let first = file.uint16(at: position, .bigEndian), first == 0xFFE0,
      let size = file.uint16(at: position + 2, .bigEndian)
    {
      position += 2 + size
    }
    return Array(file[..<position]) + segment + Array(file[position...])
  }

  static func first(in file: [UInt8]) -> String? {
    var position = 2
    // Segments with a length follow one another up to the scan, 0xFFDA.
    while let marker = file.uint16(at: position, .bigEndian), marker > 0xFF00, marker != 0xFFDA,
      let length = file.uint16(at: position + 2, .bigEndian), length >= 2,
      position + 2 + length <= file.count
    {
      if marker == 0xFFFE {
        return String(decoding: file[(position + 4)..<(position + 2 + length)], as: UTF8.self)
      }
      position += 2 + length
    }
    return nil
  }
}

/// A note in the `XMP ` chunk of an extended WebP file: RFC 9649, section 2.7.
private enum WebPNote {
  /// The file in the extended format, if it isn't yet, with a note at its end.
  static func appending(
    _ note: String, to file: [UInt8], width: Int, height: Int, hasAlpha: Bool
  ) -> [UInt8] {
    let hasMetadata: UInt8 = 0x04
    var chunks = Array(file[12...])
    if chunks.starts(with: "VP8X".utf8) {
      chunks[8] |= hasMetadata
    } else {
      let flags = hasMetadata | (hasAlpha ? 0x10 : 0)
      let sides = [width - 1, height - 1].flatMap { side in
        (0..<3).map { UInt8(truncatingIfNeeded: side >> (8 * $0)) }
      }
      chunks = chunk("VP8X", [flags, 0, 0, 0] + sides) + chunks
    }
    chunks += chunk("XMP ", Array(note.utf8))
    return chunk("RIFF", Array("WEBP".utf8) + chunks)
  }

  private static func chunk(_ name: String, _ contents: [UInt8]) -> [UInt8] {
    let count = (0..<4).map { UInt8(truncatingIfNeeded: contents.count >> (8 * $0)) }
    return Array(name.utf8) + count + contents + (contents.count % 2 == 1 ? [0] : [])
  }

  static func note(in file: [UInt8]) -> String? {
    var position = 12
    while let length = file.uint32(at: position + 4, .littleEndian),
      file.count - position - 8 >= length
    {
      let contents = file[position + 8..<position + 8 + length]
      if file[position..<position + 4].elementsEqual("XMP ".utf8) {
        return String(decoding: contents, as: UTF8.self)
      }
      position = contents.endIndex + length % 2
    }
    return nil
  }
}
