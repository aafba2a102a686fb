import Images
import Testing

@Suite struct ColorConversionTests {
  /// A PNG with a profile; the chunk's deflate stream holds it uncompressed.
  static func file(_ image: Image, profile: [UInt8]) throws -> [UInt8] {
    var chunks = PNGChunks(try image.encoded(as: .png()))
    chunks.remove("sRGB")
    let length = [UInt8(profile.count & 255), UInt8(profile.count >> 8)]
    var (low, high) = (1, 0)
    for byte in profile {
      low = (low + Int(byte)) % 65521
      high = (high + low) % 65521
    }
    let stream = [0x78, 0x01, 0x01] + length + length.map { ~$0 } + profile
    chunks.insert("iCCP", Array("profile\0\0".utf8) + stream + bigEndian(high << 16 | low))
    return chunks.file
  }

  /// Adobe RGB's (200, 100, 50) is sRGB's (227, 100, 42).
  @Test(arguments: [Image.Channels.rgb, .rgba])
  func adobeRGBIsConverted(channels: Image.Channels) throws {
    let image = Image(1, 1, channels, [200, 100, 50] + (channels.hasAlpha ? [77] : []))
    let decoded = try Image(decoding: Self.file(image, profile: iccProfile(gamma: 2.19921875)))
    #expect(decoded.source.colorConversion == .iccProfile)
    #expect(decoded.source.hasICCProfile)
    for (sample, expected) in zip(decoded.eightBitSamples, [227, 100, 42, 77]) {
      #expect(abs(Int(sample) - expected) <= 1)
    }
  }

  @Test func sixteenBitSamplesAreConvertedAsSuch() throws {
    let image = Image(
      width: 1, height: 1, channels: .rgb,
      samples: .sixteenBit([200 * 257, 100 * 257, 50 * 257]))
    let decoded = try Image(decoding: Self.file(image, profile: iccProfile(gamma: 2.19921875)))
    #expect(decoded.bitDepth == 16)
    for (sample, expected) in zip(decoded.eightBitSamples, [227, 100, 42]) {
      #expect(abs(Int(sample) - expected) <= 1)
    }
  }

  @Test func greyProfilesAreConvertedAndStayGrey() throws {
    let image = Image(3, 1, .grey, [0, 128, 255])
    let decoded = try Image(
      decoding: Self.file(image, profile: iccProfile(gamma: 1, isGrey: true)))
    #expect(decoded.channels == .grey)
    #expect(decoded.source.colorConversion == .iccProfile)
    for (sample, expected) in zip(decoded.eightBitSamples, [0, 188, 255]) {
      #expect(abs(Int(sample) - expected) <= 1)
    }
  }

  @Test func aBrokenProfileIsIgnoredWithAWarning() throws {
    let image = Image.noise(width: 4, height: 4)
    var profile = iccProfile(gamma: 1)
    for index in 132..<profile.count { profile[index] = 0xA5 }
    let segment = Array("ICC_PROFILE\0".utf8) + [1, 1] + profile
    let plain = try Image(decoding: JPEGSegmentsTests.file(image, adding: []))
    let decoded = try Image(decoding: JPEGSegmentsTests.file(image, adding: [(0xE2, segment)]))
    #expect(decoded.samples == plain.samples)
    #expect(decoded.source.hasICCProfile)
    #expect(decoded.source.colorConversion == .unchanged)
    #expect(decoded.source.warnings.count == 1)
  }

  @Test func aProfileForOtherChannelsIsIgnoredWithAWarning() throws {
    let segment = Array("ICC_PROFILE\0".utf8) + [1, 1] + iccProfile(gamma: 1)
    let decoded = try Image(
      decoding: JPEGSegmentsTests.file(
        .noise(width: 4, height: 4, channels: .grey), adding: [(0xE2, segment)]))
    #expect(decoded.source.colorConversion == .unchanged)
    #expect(decoded.source.warnings.count == 1)
  }

  @Test func aProfileCanBeIgnored() throws {
    let image = Image.noise(width: 4, height: 4)
    let file = try Self.file(image, profile: iccProfile(gamma: 1))
    let decoded = try Image(decoding: file, colorManagement: .ignore)
    #expect(decoded.samples == image.samples)
    #expect(decoded.source.hasICCProfile)
  }

  @Test func everyPrefixOfAProfileIsHarmless() throws {
    let profile = iccProfile(gamma: 1.8)
    for count in 1..<profile.count {
      let segment = Array("ICC_PROFILE\0".utf8) + [1, 1] + profile[..<count]
      _ = try Image(
        decoding: JPEGSegmentsTests.file(
          .gradient(width: 2, height: 2), adding: [(0xE2, segment)]))
    }
  }
}
