import Foundation
import Images
import Tensors
import TestSupport
import Testing

@Suite(.enabled(if: SharedFiles.exist, "\(SharedFiles.absence)"))
struct ConformanceTests {
  /// What the collection says about one of its files.
  struct Entry: Decodable {
    struct Pillow: Decodable {
      var size: [Int]?
    }
    var expect: String
    var pillow: Pillow
    var rgba8Digest: String?
    var mean: [Double]?
    var orientation: Int?
    var uprightSize: [Int]?

    enum CodingKeys: String, CodingKey {
      case expect, pillow
      case rgba8Digest = "rgba8_sha256"
      case mean = "rgba_mean"
      case orientation = "exif_orientation"
      case uprightSize = "size_oriented"
    }
  }

  static func entries(_ expectation: String) throws -> [(name: String, entry: Entry)] {
    let manifest = try Data(contentsOf: SharedFiles.url("images/conformance/manifest.json"))
    return try JSONDecoder().decode([String: Entry].self, from: manifest)
      .filter { $0.value.expect == expectation }
      .sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  static func url(_ name: String) -> URL { SharedFiles.url("images/conformance/\(name)") }

  @Test func goodFilesHaveTheListedPixels() throws {
    let entries = try Self.entries("decode")
    #expect(entries.count > 200)
    for (name, entry) in entries {
      let image = try Image(contentsOf: Self.url(name), colorManagement: .ignore)
      #expect([image.source.width, image.source.height] == entry.pillow.size, "\(name)")
      if let size = entry.uprightSize {
        #expect([image.width, image.height] == size, "\(name)")
        #expect(image.source.orientation.rawValue == entry.orientation, "\(name)")
      }
      let samples = image.eightBit().converted(to: .rgba).eightBitSamples
      // Its transparent grey is a 4-bit number, which Pillow compares with 8-bit ones.
      guard name != "pngsuite/tbbn0g04.png" else { continue }
      if let digest = entry.rgba8Digest {
        #expect(SHA256.hexadecimal(of: samples) == digest, "\(name)")
      }
      guard let listed = entry.mean else { continue }
      for channel in 0..<4 {
        let sum = stride(from: channel, to: samples.count, by: 4).reduce(0) {
          $0 + Int(samples[$1])
        }
        let mean = Double(sum) / Double(image.pixelCount)
        #expect(abs(mean - listed[channel]) < 1.5, "\(name), channel \(channel)")
      }
    }
  }

  @Test func goodFilesDecodeWithColorManagement() throws {
    for (name, entry) in try Self.entries("decode") {
      let image = try Image(contentsOf: Self.url(name))
      #expect(image.source.width == entry.pillow.size?.first, "\(name)")
    }
  }

  @Test func badFilesAreRefusedQuickly() throws {
    let clock = ContinuousClock()
    for (name, _) in try Self.entries("refuse") {
      let time = clock.measure {
        #expect(throws: ImageError.self, "\(name)") { try Image(contentsOf: Self.url(name)) }
      }
      #expect(time < .seconds(2), "\(name)")
    }
  }

  /// Where the collection leaves the choice, this is ours.
  @Test func doubtfulFilesAreDecodedOrRefusedAsDocumented() throws {
    let decoded = [
      "policy/ljt_arithmetic_testimgari.jpg", "policy/missing_first_dht.jpg",
      "policy/pillow_png_decompression_dos.png",
    ]
    for (name, _) in try Self.entries("policy") {
      let limits = ImageLimits(maximumPixelCount: 100_000_000)
      let outcome = Result { try Image(contentsOf: Self.url(name), limits: limits) }
      let isDecoded = (try? outcome.get()) != nil
      #expect(isDecoded == decoded.contains(name), "\(name): \(outcome)")
    }
  }

  @Test func allOrientationsLookAlikeOnceUpright() throws {
    for folder in ["Landscape", "Portrait"] {
      let reference = try Image(contentsOf: Self.url("jpeg-exif/\(folder)_1.jpg"))
      for number in 0...8 {
        let image = try Image(contentsOf: Self.url("jpeg-exif/\(folder)_\(number).jpg"))
        #expect(image.source.orientation.rawValue == max(1, number))
        // JPEG blocks lie differently in each, hence not exactly alike.
        #expect(image.peakSignalToNoiseRatio(to: reference) > 28, "\(folder)_\(number)")
      }
    }
  }

  @Test(arguments: [("basn0g01", 1), ("basn0g16", 16), ("basn2c08", 8), ("basn3p02", 8)])
  func theFilesBitDepthIsRecorded(name: String, bitDepth: Int) throws {
    let image = try Image(contentsOf: Self.url("pngsuite/\(name).png"))
    #expect(image.source.bitDepth == bitDepth)
    #expect(image.bitDepth == max(8, bitDepth))
  }

  /// PngSuite draws one picture for six gammas, each a little differently: their means are alike
  /// once they are converted, while the plain numbers' means lie 40 levels apart.
  @Test(arguments: ["n0g16", "n2c08", "n3p04"])
  func allGammasLookAlike(kind: String) throws {
    func mean(_ gamma: String) throws -> Double {
      let image = try Image(contentsOf: Self.url("pngsuite/\(gamma)\(kind).png"))
      #expect(image.source.colorConversion == (gamma == "g04" ? .unchanged : .gamma))
      return Double(image.eightBitSamples.reduce(0) { $0 + Int($1) }) / Double(image.samples.count)
    }
    let reference = try mean("g04")
    for gamma in ["g03", "g05", "g07", "g10", "g25"] {
      #expect(abs(try mean(gamma) - reference) < 4, "\(gamma)")
    }
  }

  @Test func everyPrefixOfAFileIsRefused() throws {
    for name in ["pngsuite/basi3p04.png", "jpeg/own_size_9x17.jpg", "png/own_size_7x5.png"] {
      let bytes = try [UInt8](Data(contentsOf: Self.url(name)))
      _ = try Image(decoding: bytes)
      for count in 0..<bytes.count {
        #expect(throws: ImageError.self, "\(name), \(count) bytes") {
          try Image(decoding: Array(bytes[..<count]))
        }
      }
    }
  }
}
