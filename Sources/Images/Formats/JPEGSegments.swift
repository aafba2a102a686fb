/// What the segments of a JPEG file say: the parts of ITU-T T.81, annex B, that the pixels don't
/// need but a reader does.
struct JPEGSegments {
  private(set) var width = 0
  private(set) var height = 0
  private(set) var componentCount = 0
  private(set) var precision = 0
  private(set) var orientation: ImageOrientation?
  private(set) var profile: [UInt8]?
  /// Whether there is an Adobe segment; then inks are stored inverted.
  private(set) var isAdobe = false
  /// Whether the pixels are arithmetic-coded instead of Huffman-coded.
  private(set) var isArithmetic = false
  private(set) var warnings: [String] = []

  /// The parts of an ICC profile by their number, from 1.
  private var profileParts: [Int: ArraySlice<UInt8>] = [:]
  private var profilePartCount = 0
  private var hasFrame = false
  /// How many scans there are: more than one in a progressive file.
  private(set) var scanCount = 0
  /// The coefficients of all components.
  private(set) var coefficientCount = 0

  /// Walks over all segments up to the end-of-image marker.
  ///
  /// - Throws: ``ImageError/truncated(_:)`` when that marker is missing.
  init(_ bytes: [UInt8]) throws(ImageError) {
    var position = 2
    while true {
      guard let marker = Self.nextMarker(in: bytes, from: position) else { throw .truncated(.jpeg) }
      position = marker + 2
      switch bytes[marker + 1] {
      case 0xD9:
        guard hasFrame, scanCount > 0 else {
          throw .damaged(.jpeg, reason: "there is no picture in it")
        }
        assembleProfile()
        return
      case 0x01, 0xD0...0xD8:
        continue  // markers without contents
      case let type:
        guard let length = bytes.uint16(at: position, .bigEndian),
          bytes.count - position >= length
        else { throw .truncated(.jpeg) }
        guard length >= 2 else { throw .damaged(.jpeg, reason: "a segment of \(length) bytes") }
        try read(type, bytes[position + 2..<position + length])
        position += length
      }
    }
  }

  /// The next byte 0xFF that begins a marker: not stuffed (0xFF00) and not a fill byte (0xFFFF).
  private static func nextMarker(in bytes: [UInt8], from start: Int) -> Int? {
    var position = start
    while position + 1 < bytes.count {
      if bytes[position] != 0xFF {
        position += 1
      } else if bytes[position + 1] == 0x00 {
        position += 2
      } else if bytes[position + 1] == 0xFF {
        position += 1
      } else {
        return position
      }
    }
    return nil
  }

  private mutating func read(_ type: UInt8, _ contents: ArraySlice<UInt8>) throws(ImageError) {
    switch type {
    case 0xC0...0xCF where type != 0xC4 && type != 0xC8 && type != 0xCC:
      try readFrame(contents)
      isArithmetic = type >= 0xC9
    case 0xDA:
      scanCount += 1
    case 0xE1 where contents.starts(with: "Exif\0".utf8):
      // The first block counts: some programs append theirs without removing the old one.
      if orientation == nil { orientation = EXIF.orientation(in: contents.dropFirst(6)) }
    case 0xE2 where contents.starts(with: "ICC_PROFILE\0".utf8) && contents.count > 14:
      let part = contents.dropFirst(12)
      profileParts[Int(part[part.startIndex])] = part.dropFirst(2)
      profilePartCount = Int(part[part.startIndex + 1])
    case 0xEE where contents.starts(with: "Adobe".utf8) && contents.count >= 12:
      isAdobe = true
    default:
      break
    }
  }

  private mutating func readFrame(_ contents: ArraySlice<UInt8>) throws(ImageError) {
    let start = contents.startIndex
    guard !hasFrame else { throw .damaged(.jpeg, reason: "it has two frame headers") }
    guard contents.count >= 6, let rows = contents.uint16(at: start + 1, .bigEndian),
      let columns = contents.uint16(at: start + 3, .bigEndian)
    else { throw .damaged(.jpeg, reason: "the frame header is too short") }
    hasFrame = true
    precision = Int(contents[start])
    (width, height) = (columns, rows)
    componentCount = Int(contents[start + 5])
    // Three bytes for each component, of which the second has its samples across and down.
    let factors = (0..<componentCount).compactMap { index -> (Int, Int)? in
      let place = start + 7 + 3 * index
      guard place < contents.endIndex else { return nil }
      return (Int(contents[place] >> 4), Int(contents[place] & 15))
    }
    let across = max(factors.map(\.0).max() ?? 1, 1)
    let down = max(factors.map(\.1).max() ?? 1, 1)
    coefficientCount = factors.reduce(0) { $0 + width * height * $1.0 * $1.1 / (across * down) }
  }

  private mutating func assembleProfile() {
    guard !profileParts.isEmpty else { return }
    var joined: [UInt8] = []
    for number in 1...max(1, profilePartCount) {
      guard let part = profileParts[number] else {
        warnings.append("a part of the ICC profile is missing: ignored")
        return
      }
      joined += part
    }
    profile = joined
  }
}
