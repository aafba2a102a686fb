import Foundation
import Images
import TestSupport
import Testing

@Suite struct ImageFootprintTests {
  @Test(arguments: Image.Channels.allCases, [8, 16])
  func theHeaderSaysWhatThePictureTakes(_ channels: Image.Channels, _ bitDepth: Int) throws {
    for (width, height) in awkwardSizes {
      let image = Image.noise(width: width, height: height, channels: channels, bitDepth: bitDepth)
      var encodings: [ImageEncoding] = [.png(), .webP(), .webPLossless]
      if !channels.hasAlpha { encodings.append(.jpeg()) }
      for encoding in encodings {
        let file = try image.encoded(as: encoding)
        let footprint = try ImageFootprint(ofPictureIn: file)
        let decoded = try Image(decoding: file)
        #expect(footprint.width == width && footprint.height == height)
        #expect(footprint.channels == decoded.channels && footprint.bitDepth == decoded.bitDepth)
        #expect(
          footprint.byteCount == decoded.samples.count * decoded.bitDepth / 8,
          "\(encoding) \(channels)")
        #expect(footprint.readingByteCount >= footprint.byteCount)
      }
    }
  }

  @Test func aTurnedPictureIsThereTwice() throws {
    let exif = [
      0xFF, 0xE1, 0, 34, 0x45, 0x78, 0x69, 0x66, 0, 0, 0x49, 0x49, 0x2A, 0, 8, 0, 0, 0, 1, 0, 0x12,
      1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0,
    ].map { UInt8($0) }
    let plain = try Image.noise(width: 32, height: 16).encoded(as: .jpeg())
    let footprint = try ImageFootprint(ofPictureIn: plain[..<2] + exif + plain[2...])
    #expect(footprint.width == 16 && footprint.height == 32)
    #expect(footprint.readingByteCount == 2 * 32 * 16 * 3)
    #expect(footprint.orientation == .turned90)
  }

  @Test func aFileInSeveralScansKeepsItsCoefficients() throws {
    // libjpeg-turbo's encoder writes one scan: a second one that is empty stands for the others.
    var file = try Image.noise(width: 32, height: 16).encoded(as: .jpeg(quality: 95))
    let scan = try #require(file.indices.first { file[$0] == 0xFF && file[$0 + 1] == 0xDA })
    file.insert(contentsOf: [0xFF, 0xDA, 0, 2], at: scan)
    let footprint = try ImageFootprint(ofPictureIn: file)
    #expect(footprint.readingByteCount == 32 * 16 * (3 + 2 * 3))
  }

  @Test func everyPrefixIsAnErrorOrAFootprint() throws {
    for encoding in [ImageEncoding.png(), .jpeg(), .webP(), .webPLossless] {
      let file = try Image.noise(width: 20, height: 12).encoded(as: encoding)
      for count in file.indices {
        do {
          #expect(try ImageFootprint(ofPictureIn: Array(file[..<count])).width == 20)
        } catch {
          #expect(!error.description.isEmpty)
        }
      }
    }
  }

  @Test func tooManyPixelsAreRefused() throws {
    let file = try Image.noise(width: 16, height: 16).encoded(as: .png())
    let limits = ImageLimits(maximumPixelCount: 255)
    #expect(throws: ImageError.tooManyPixels(width: 16, height: 16, limit: 255)) {
      try ImageFootprint(ofPictureIn: file, limits: limits)
    }
  }

  @Test(.enabled(if: SharedFiles.exist, "\(SharedFiles.absence)"))
  func whatTheHeaderTellsIsWhatReadingFinds() throws {
    var (profiles, turned, inks) = (0, 0, 0)
    for format in ["png", "jpeg", "jpeg-exif"] {
      let folder = SharedFiles.url("images/conformance/\(format)")
      for name in try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() {
        let file = [UInt8](try Data(contentsOf: folder.appending(path: name)))
        guard let image = try? Image(decoding: file) else { continue }
        let footprint = try ImageFootprint(ofPictureIn: file)
        #expect(footprint.orientation == image.source.orientation, "\(name)")
        #expect(footprint.hasICCProfile == image.source.hasICCProfile, "\(name)")
        #expect(footprint.isCMYK || image.source.colorConversion != .plainCMYK, "\(name)")
        profiles += footprint.hasICCProfile ? 1 : 0
        turned += footprint.orientation != .upright ? 1 : 0
        inks += footprint.isCMYK ? 1 : 0
      }
    }
    #expect(profiles > 5 && turned > 5 && inks == 2)
  }
}
