import Images
import Testing

@Suite struct PNGTests {
  @Test(arguments: Image.Channels.allCases, [8, 16])
  func writtenPicturesAreReadBackExactly(channels: Image.Channels, bitDepth: Int) throws {
    for (width, height) in awkwardSizes {
      let image = Image.noise(
        width: width, height: height, channels: channels, bitDepth: bitDepth)
      let decoded = try Image(decoding: image.encoded(as: .png()))
      #expect(decoded.samples == image.samples)
      #expect(decoded.channels == channels)
      #expect([decoded.width, decoded.height] == [width, height])
      #expect(
        decoded.source
          == ImageSource(
            format: .png, width: width, height: height, bitDepth: bitDepth,
            isGrey: channels.isGrey, hasAlpha: channels.hasAlpha))
    }
  }

  @Test func everyCompressionLevelKeepsThePixels() throws {
    let image = Image.gradient(width: 40, height: 30)
    for level in 0...9 {
      let decoded = try Image(decoding: image.encoded(as: .png(compression: level)))
      #expect(decoded.samples == image.samples)
    }
    #expect(throws: ImageError.self) { try image.encoded(as: .png(compression: 10)) }
  }

  @Test func everyPrefixIsTruncated() throws {
    let file = try Image.noise(width: 9, height: 5, channels: .rgba, bitDepth: 16)
      .encoded(as: .png(text: [PNGText(keyword: "Comment", text: "é")]))
    for count in 8..<file.count {
      #expect(throws: ImageError.truncated(.png)) { try Image(decoding: Array(file[..<count])) }
    }
  }

  @Test func everyFlippedByteOfThePixelsIsNoticed() throws {
    let file = try Image.noise(width: 9, height: 5).encoded(as: .png())
    let pixels = try #require(file.indices.first { file[$0...].starts(with: "IDAT".utf8) })
    for index in pixels..<file.count - 12 {
      var damaged = file
      damaged[index] ^= 0x10
      #expect(throws: ImageError.self) { try Image(decoding: damaged) }
    }
  }

  @Test func aWrongChecksumInsideThePixelsIsNoticed() throws {
    var chunks = PNGChunks(try Image.noise(width: 9, height: 5).encoded(as: .png()))
    let index = try #require(chunks.chunks.firstIndex { $0.type == "IDAT" })
    chunks.chunks[index].contents[chunks.chunks[index].contents.count - 1] ^= 1
    #expect(throws: ImageError.self) { try Image(decoding: chunks.file) }
  }

  @Test(arguments: ["IDAT", "IEND"])
  func exifTurnsThePictureBeforeOrAfterThePixels(place: String) throws {
    var chunks = PNGChunks(try Image(2, 1, .grey, [10, 20]).encoded(as: .png()))
    chunks.insert("eXIf", exifBlock(orientation: 6), before: place)
    let image = try Image(decoding: chunks.file)
    #expect([image.width, image.height] == [1, 2])
    #expect(image.source.orientation == .turned90)
    #expect([image.source.width, image.source.height] == [2, 1])
  }

  @Test func compressedTextCostsNothing() throws {
    var chunks = PNGChunks(try Image.noise(width: 9, height: 5).encoded(as: .png()))
    // Not even well-formed: it isn't looked at.
    for _ in 0..<2000 { chunks.insert("zTXt", Array("Comment\0\0garbage".utf8)) }
    _ = try Image(decoding: chunks.file)
  }

  @Test func aGammaOtherThanOfSRGBIsConverted() throws {
    var chunks = PNGChunks(try Image(2, 1, .rgb, [128, 64, 0, 255, 255, 255]).encoded(as: .png()))
    chunks.remove("sRGB")
    chunks.insert("gAMA", bigEndian(100_000))
    let image = try Image(decoding: chunks.file)
    #expect(image.source.colorConversion == .gamma)
    guard case .eightBit(let samples) = image.samples else { return }
    // Linear light 128/255 and 64/255 through the curve of IEC 61966-2-1.
    for (sample, expected) in zip(samples, [188, 137, 0, 255, 255, 255]) {
      #expect(abs(Int(sample) - expected) <= 1)
    }
    let ignored = try Image(decoding: chunks.file, colorManagement: .ignore)
    #expect(ignored.samples == .eightBit([128, 64, 0, 255, 255, 255]))
    #expect(ignored.source.colorConversion == .unchanged)
  }

  @Test(arguments: [43_500, 45_000, 45_455, 47_000])
  func aGammaCloseToOneOver2Point2MeansSRGB(gamma: Int) throws {
    let image = Image.noise(width: 5, height: 5)
    var chunks = PNGChunks(try image.encoded(as: .png()))
    chunks.remove("sRGB")
    chunks.insert("gAMA", bigEndian(gamma))
    #expect(try Image(decoding: chunks.file).samples == image.samples)
  }

  @Test func anSRGBChunkOutranksGamma() throws {
    let image = Image.noise(width: 5, height: 5)
    var chunks = PNGChunks(try image.encoded(as: .png()))
    chunks.insert("gAMA", bigEndian(100_000))
    #expect(try Image(decoding: chunks.file).samples == image.samples)
  }
}
