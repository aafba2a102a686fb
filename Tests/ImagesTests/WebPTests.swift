import Images
import Testing

@Suite struct WebPTests {
  @Test(arguments: Image.Channels.allCases)
  func losslessPicturesAreReadBackExactly(channels: Image.Channels) throws {
    for (width, height) in awkwardSizes {
      let image = Image.noise(width: width, height: height, channels: channels)
      let decoded = try Image(decoding: image.encoded(as: .webPLossless))
      let target: Image.Channels = channels.hasAlpha ? .rgba : .rgb
      #expect(decoded.channels == target)
      #expect(decoded.samples == image.converted(to: target).samples)
    }
  }

  @Test func coloursUnderFullTransparencyAreKept() throws {
    let image = Image(2, 1, .rgba, [10, 20, 30, 0, 40, 50, 60, 255])
    #expect(try Image(decoding: image.encoded(as: .webPLossless)).samples == image.samples)
  }

  @Test func lossyPicturesAreReadBackClosely() throws {
    for channels in [Image.Channels.rgb, .rgba] {
      let image = Image.gradient(width: 64, height: 48, channels: channels)
      let decoded = try Image(decoding: image.encoded(as: .webP(quality: 90)))
      #expect(decoded.channels == channels)
      #expect(decoded.peakSignalToNoiseRatio(to: image) > 30)
    }
  }

  @Test func everyPrefixIsRefused() throws {
    for encoding in [ImageEncoding.webPLossless, .webP()] {
      let file = try Image.noise(width: 20, height: 12, channels: .rgba).encoded(as: encoding)
      for count in 0..<file.count {
        #expect(throws: ImageError.self) { try Image(decoding: Array(file[..<count])) }
      }
    }
  }

  @Test func flippedBitsNeverTrap() throws {
    for encoding in [ImageEncoding.webPLossless, .webP()] {
      let file = try Image.noise(width: 20, height: 12, channels: .rgba).encoded(as: encoding)
      for index in file.indices {
        var damaged = file
        damaged[index] ^= 0x04
        _ = try? Image(decoding: damaged)
      }
    }
  }

  /// A file of the extended kind around the pixels of a simple one.
  static func extended(
    _ image: Image, flags: UInt8, before: [UInt8] = [], after: [UInt8] = []
  ) throws -> [UInt8] {
    let simple = try image.encoded(as: .webPLossless)
    let canvas = littleEndian(image.width - 1)[..<3] + littleEndian(image.height - 1)[..<3]
    let body =
      Array("WEBPVP8X".utf8) + littleEndian(10) + [flags, 0, 0, 0] + canvas + before
      + simple[12...] + after
    return Array("RIFF".utf8) + littleEndian(body.count) + body
  }

  static func chunk(_ type: String, _ contents: [UInt8]) -> [UInt8] {
    Array(type.utf8) + littleEndian(contents.count) + contents
      + [UInt8](repeating: 0, count: contents.count % 2)
  }

  @Test func exifAndProfilesAreFound() throws {
    let image = Image.noise(width: 6, height: 4)
    let exif = Self.chunk("EXIF", exifBlock(orientation: 8))
    let profile = Self.chunk("ICCP", iccProfile(gamma: 2.2))
    let decoded = try Image(
      decoding: Self.extended(image, flags: 0x28, before: profile, after: exif))
    #expect(decoded.source.orientation == .turned270)
    #expect(decoded.source.colorConversion == .iccProfile)
    #expect([decoded.width, decoded.height] == [4, 6])
  }

  @Test func animationsAreRefused() throws {
    let file = try Self.extended(.noise(width: 6, height: 4), flags: 0x02)
    #expect(throws: ImageError.unsupported(.webP, feature: "animation")) {
      try Image(decoding: file)
    }
  }

  @Test func sidesBeyondTheFormatAreRefused() {
    #expect(throws: ImageError.self) {
      try Image.noise(width: 16384, height: 1).encoded(as: .webP())
    }
    #expect(throws: ImageError.self) {
      try Image.noise(width: 1, height: 1).encoded(as: .webP(quality: 101))
    }
  }
}
