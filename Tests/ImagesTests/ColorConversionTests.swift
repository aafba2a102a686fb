import Foundation
import Images
import TestSupport
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

  /// An ICC profile (version 2) for CMYK whose only table, of type `mft1`, makes the lightness
  /// `(1 − K)·(1 − C)` and no colour.
  static func inkProfile() -> [UInt8] {
    let ramp = (0...255).map { UInt8($0) }
    var table = Array("mft1\0\0\0\0".utf8) + [4, 3, 2, 0]
    for entry in 0..<9 { table += bigEndian(entry % 4 == 0 ? 65536 : 0) }
    for _ in 0..<4 { table += ramp }
    for corner in 0..<16 { table += [corner & 0b1001 == 0 ? 255 : 0, 128, 128] }
    for _ in 0..<3 { table += ramp }
    var header = bigEndian(144 + table.count) + [0, 0, 0, 0, 2, 0x10, 0, 0]
    header += Array("prtrCMYKLab ".utf8) + [7, 0xD0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0]
    header += Array("acsp".utf8) + [UInt8](repeating: 0, count: 28)
    header += bigEndian(0xF6D6) + bigEndian(0x10000) + bigEndian(0xD32D)
    header += [UInt8](repeating: 0, count: 128 - header.count)
    return header + bigEndian(1) + Array("A2B0".utf8) + bigEndian(144) + bigEndian(table.count)
      + table
  }

  @Test(.enabled(if: SharedFiles.exist, "\(SharedFiles.absence)"))
  func inksAreConvertedByTheirProfile() throws {
    let url = SharedFiles.url("images/conformance/jpeg/own_cmyk_adobe.jpg")
    let file = try [UInt8](Data(contentsOf: url))
    let contents = Array("ICC_PROFILE\0".utf8) + [1, 1] + Self.inkProfile()
    let length = bigEndian(contents.count + 2).suffix(2)
    let image = try Image(decoding: file[..<2] + [0xFF, 0xE2] + length + contents + file[2...])
    #expect(image.source.colorConversion == .iccProfile)
    #expect(image.channels == .rgb)
    let samples = image.eightBitSamples
    // The profile knows lightness only; and of more ink than none everywhere, some is left.
    #expect(stride(from: 0, to: samples.count, by: 3).allSatisfy { samples[$0] == samples[$0 + 2] })
    #expect(Set(samples).count > 50)
    let plain = try Image(decoding: file)
    #expect(plain.source.colorConversion == .plainCMYK)
    #expect(plain.meanSquaredError(to: image) > 1)
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
