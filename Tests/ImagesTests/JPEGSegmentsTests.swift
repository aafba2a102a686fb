import Images
import Testing

@Suite struct JPEGSegmentsTests {
  /// A JPEG with segments added after its first marker.
  static func file(_ image: Image, adding segments: [(type: UInt8, contents: [UInt8])]) throws
    -> [UInt8]
  {
    let file = try image.encoded(as: .jpeg(quality: 95))
    var added: [UInt8] = []
    for (type, contents) in segments {
      added += [0xFF, type] + bigEndian(contents.count + 2).suffix(2) + contents
    }
    return file[..<2] + added + file[2...]
  }

  @Test(arguments: 1...8, [false, true])
  func exifTurnsThePicture(orientation: Int, isBigEndian: Bool) throws {
    let image = Image.gradient(width: 24, height: 8)
    let exif =
      Array("Exif\0\0".utf8)
      + exifBlock(orientation: UInt8(orientation), isBigEndian: isBigEndian)
    let turned = try Image(decoding: Self.file(image, adding: [(0xE1, exif)]))
    #expect(turned.source.orientation.rawValue == orientation)
    #expect(turned.width == (orientation >= 5 ? 8 : 24))
    let plain = try Image(decoding: Self.file(image, adding: []))
    let kind = try #require(ImageOrientation(rawValue: orientation))
    #expect(turned.samples == plain.turnedUpright(from: kind).samples)
  }

  @Test(arguments: [0, 9, 255])
  func otherOrientationsAreIgnored(orientation: UInt8) throws {
    let exif = Array("Exif\0\0".utf8) + exifBlock(orientation: orientation)
    let image = try Image(
      decoding: Self.file(.gradient(width: 24, height: 8), adding: [(0xE1, exif)]))
    #expect(image.source.orientation == .upright)
  }

  @Test func everyPrefixOfAnExifBlockIsHarmless() throws {
    let exif = Array("Exif\0\0".utf8) + exifBlock(orientation: 6)
    for count in 0..<exif.count {
      _ = try Image(
        decoding: Self.file(
          .gradient(width: 2, height: 2), adding: [(0xE1, Array(exif[..<count]))]))
    }
  }

  @Test func aProfileInPartsIsJoinedInOrder() throws {
    let profile = iccProfile(gamma: 2.2)
    let name = Array("ICC_PROFILE\0".utf8)
    let parts: [(UInt8, [UInt8])] = [
      (0xE2, name + [2, 2] + profile[200...]), (0xE2, name + [1, 2] + profile[..<200]),
    ]
    let picture = Image.gradient(width: 16, height: 16)
    let image = try Image(decoding: Self.file(picture, adding: parts))
    #expect(image.source.hasICCProfile)
    #expect(image.source.colorConversion == .iccProfile)
    let incomplete = try Image(decoding: Self.file(picture, adding: [parts[0]]))
    #expect(incomplete.source.colorConversion == .unchanged)
    #expect(incomplete.source.warnings.count == 1)
  }
}
