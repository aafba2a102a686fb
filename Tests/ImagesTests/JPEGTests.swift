import Images
import Testing

@Suite struct JPEGTests {
  @Test(arguments: [Image.Channels.grey, .rgb], [50, 90, 100])
  func writtenPicturesAreReadBackClosely(channels: Image.Channels, quality: Int) throws {
    for (width, height) in awkwardSizes {
      let image = Image.gradient(width: width, height: height, channels: channels)
      let decoded = try Image(decoding: image.encoded(as: .jpeg(quality: quality)))
      #expect(decoded.channels == channels)
      #expect([decoded.width, decoded.height] == [width, height])
      #expect(decoded.source.format == .jpeg)
      // At half resolution, tiny pictures lose their colours.
      guard quality >= 90 || min(width, height) >= 16 else { continue }
      #expect(decoded.peakSignalToNoiseRatio(to: image) > 28)
    }
  }

  @Test func coloursHaveFullResolutionFromQuality90() throws {
    // Red and blue stripes of one pixel vanish where colours have half the resolution.
    let stripes = Image(
      16, 16, .rgb, (0..<256).flatMap { $0 % 2 == 0 ? [255, 0, 0] : [0, 0, 255] })
    let fine = try Image(decoding: stripes.encoded(as: .jpeg(quality: 90)))
    let coarse = try Image(decoding: stripes.encoded(as: .jpeg(quality: 89)))
    #expect(fine.peakSignalToNoiseRatio(to: stripes) > 25)
    #expect(coarse.peakSignalToNoiseRatio(to: stripes) < 15)
  }

  @Test func opacityAndWrongQualitiesAreRefused() {
    let image = Image.noise(width: 2, height: 2, channels: .rgba)
    #expect(throws: ImageError.self) { try image.encoded(as: .jpeg()) }
    for quality in [0, 101] {
      #expect(throws: ImageError.self) {
        try Image.noise(width: 2, height: 2).encoded(as: .jpeg(quality: quality))
      }
    }
    #expect(throws: ImageError.self) {
      try Image.noise(width: 65501, height: 1, channels: .grey).encoded(as: .jpeg())
    }
  }

  @Test func everyPrefixIsTruncated() throws {
    let file = try Image.noise(width: 20, height: 12).encoded(as: .jpeg(quality: 80))
    for count in 2..<file.count {
      #expect(throws: ImageError.truncated(.jpeg)) { try Image(decoding: Array(file[..<count])) }
    }
  }

  @Test func aHeaderTooLargeForTheFileIsRefused() throws {
    var file = try Image.noise(width: 20, height: 12).encoded(as: .jpeg())
    let frame = try #require(file.indices.first { file[$0...].starts(with: [0xFF, 0xC0]) })
    file.replaceSubrange(frame + 5..<frame + 9, with: [0x40, 0, 0x40, 0])
    let expected = ImageError.damaged(.jpeg, reason: "too few bytes for 16384×16384 pixels")
    #expect(throws: expected) { try Image(decoding: file) }
  }

  @Test func bytesAfterTheEndAreIgnored() throws {
    let file = try Image.noise(width: 20, height: 12).encoded(as: .jpeg())
    let image = try Image(decoding: file)
    #expect(try Image(decoding: file + [1, 2, 0xFF, 0xD8]).samples == image.samples)
  }

  @Test func flippedBitsNeverTrap() throws {
    let file = try Image.noise(width: 20, height: 12).encoded(as: .jpeg(quality: 80))
    for index in file.indices {
      for bit in [0x01, 0x80] as [UInt8] {
        var damaged = file
        damaged[index] ^= bit
        _ = try? Image(decoding: damaged)
      }
    }
  }

  @Test func aProgressiveFileHasTheSamePixelsInFewerBytes() throws {
    for quality in [5, 50, 95] {
      let image = Image.gradient(width: 90, height: 70)
      let plain = try image.encoded(as: .jpeg(quality: quality))
      let progressive = try image.encoded(as: .jpeg(quality: quality, isProgressive: true))
      #expect(progressive.count < plain.count)
      #expect(try Image(decoding: progressive).samples == Image(decoding: plain).samples)
    }
  }
}
