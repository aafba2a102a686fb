import Foundation
import LatentFiles
import Tensors
import TestSupport
import Testing

@Suite struct LatentFileTests {
  @Test(arguments: LatentStorage.allCases, [1, 2, 7, 8, 15, 33, 70])
  func whatIsWrittenIsRead(storage: LatentStorage, extent: Int) throws {
    for channelCount in [1, 4, 5] {
      let file = try Samples.file(
        height: extent, width: 71 - extent, channelCount: channelCount, storage: storage)
      #expect(try LatentFile(decoding: file.encoded()) == file)
    }
  }

  @Test(arguments: LatentMetadata.Values.allCases)
  func allMetadataAreKept(values: LatentMetadata.Values) throws {
    var file = try Samples.file(values: values)
    let channelCount = values == .moments ? 2 : 4
    file.metadata.model.name = "a \"name\" \\ with ü, 猫 and \u{1}"
    file.metadata.model.latentsMean = [Float](repeating: 0.1, count: channelCount)
    file.metadata.model.latentsStd = [Float](repeating: 1e-7, count: channelCount)
    file.metadata.preview = LatentPreview(
      matrix: [[Float]](repeating: [Float](repeating: -0.3, count: channelCount), count: 3),
      bias: [0, 1e20, -1])
    file.metadata.source?.orientation = 6
    file.metadata.source?.colour = .grey
    let bytes = try file.encoded()
    #expect(try LatentFile(decoding: bytes) == file)
    let header = try LatentFile.readHeader(decoding: bytes)
    #expect(header.metadata == file.metadata)
    #expect(header.channelCount == channelCount)
    #expect(header.planeCount == 4)
    #expect(header.payloadByteCount == 4 * 5 * 7)
  }

  @Test func aLatentWithoutASourceIsKept() throws {
    var file = try Samples.file()
    file.metadata.source = nil
    #expect(try LatentFile(decoding: file.encoded()) == file)
  }

  @Test(arguments: [8, 16], LatentStorage.allCases)
  func alphaIsKeptWithoutLoss(bitDepth: Int, storage: LatentStorage) throws {
    let file = try Samples.file(storage: storage, alphaBitDepth: bitDepth)
    #expect(try LatentFile(decoding: file.encoded()) == file)
  }

  @Test func noisyAlphaIsKeptWithoutLoss() throws {
    var file = try Samples.file(alphaBitDepth: 16)
    let values = (0..<33 * 53).map { UInt16(truncatingIfNeeded: $0 &* $0 &* 40503) }
    file.alpha = AlphaPlane(height: 33, width: 53, bitDepth: 16, values: values)
    #expect(try LatentFile(decoding: file.encoded()) == file)
  }

  @Test func constantAlphaCostsNearlyNothing() throws {
    var file = try Samples.file(height: 64, width: 64, alphaBitDepth: 8)
    let values = [UInt16](repeating: 255, count: 505 * 509)
    file.alpha = AlphaPlane(height: 505, width: 509, bitDepth: 8, values: values)
    let size = try file.encoded().count
    file.alpha = nil
    let sizeWithout = try file.encoded().count
    #expect(size - sizeWithout < 100)
  }

  @Test func equalContentsGiveEqualBytes() throws {
    let file = try Samples.file(height: 40, width: 50, alphaBitDepth: 8)
    let bytes = try file.encoded()
    #expect(try file.encoded() == bytes)
    #expect(try LatentFile(decoding: bytes).encoded() == bytes)
  }

  @Test func everyLevelGivesTheSameLatent() throws {
    let file = try Samples.file(height: 20, width: 20)
    for level in [-5, 1, 3, 19] {
      #expect(try LatentFile(decoding: file.encoded(level: level)) == file)
    }
  }

  @Test func aFileOnDiskIsRead() throws {
    let file = try Samples.file(alphaBitDepth: 8)
    try withTemporaryFile(try file.encoded()) { (url: URL) throws in
      #expect(try LatentFile(contentsOf: url) == file)
      #expect(try LatentFile.readHeader(contentsOf: url).metadata == file.metadata)
    }
    #expect(throws: LatentFileError.self) {
      try LatentFile(contentsOf: URL(filePath: "/nonexistent/a.latent"))
    }
  }

  @Test func theHeaderIsReadWithoutThePayload() throws {
    let file = try Samples.file()
    let bytes = try file.encoded()
    let headerByteCount = 8 + Int(bytes[4]) + Int(bytes[5]) << 8
    let header = try LatentFile.readHeader(decoding: Array(bytes[..<headerByteCount]))
    #expect(header.metadata == file.metadata)
    try withTemporaryFile(Array(bytes[..<headerByteCount])) { (url: URL) throws in
      #expect(try LatentFile.readHeader(contentsOf: url) == header)
      #expect(throws: LatentFileError.self) { try LatentFile(contentsOf: url) }
    }
  }

  @Test func theHeaderIsReadInLessThanAMillisecond() throws {
    let bytes = try Samples.file(channelCount: 32, alphaBitDepth: 8).encoded()
    let times = try (0..<20).map { _ in
      try ContinuousClock().measure { _ = try LatentFile.readHeader(decoding: bytes) }
    }
    let best = try #require(times.min())
    #expect(best < .milliseconds(1))
  }

  @Test func theStockToolGivesThePayload() throws {
    guard FileManager.default.isExecutableFile(atPath: "/usr/bin/zstd") else { return }
    let file = try Samples.file(storage: .f32, alphaBitDepth: 8)
    let header = try LatentFile.readHeader(decoding: file.encoded())
    try withTemporaryFile(try file.encoded()) { (url: URL) throws in
      let output = try TestSupport.output(ofProgram: "/usr/bin/zstd", ["-dc", url.path])
      #expect(output.count == header.payloadByteCount)
      let plain = zip(header.filters, file.latent.planes).enumerated()
      for (index, (filter, plane)) in plain where filter == .none {
        let range = index * header.planeByteCount..<(index + 1) * header.planeByteCount
        #expect(Array(output[range]) == plane.bytes)
      }
    }
  }

  @Test(.enabled(if: SharedFiles.exist, "\(SharedFiles.absence)"))
  func realLatentsAreSmall() throws {
    // Bits a value on a busy and a smooth photograph, with a little room for other zstd versions.
    let most: [LatentStorage: Double] = [
      .int8: 7.2, .int6: 5.2, .int5: 4.2, .int4: 3.2, .f16: 15, .bf16: 12.2, .f32: 29.5,
    ]
    for name in ["taesd", "taef1", "taef2"] {
      for picture in ["kodim05", "kodim23"] {
        let latent = try Safetensors(
          contentsOf: SharedFiles.url("models/taesd/golden/\(name)_full_\(picture).safetensors")
        ).input("latents")
        for storage in LatentStorage.allCases {
          let quantized = try LatentQuantizer(storage: storage).quantize(latent)
          var metadata = Samples.metadata(height: latent.shape[1], width: latent.shape[2])
          metadata.model.name = name
          let file = LatentFile(metadata: metadata, latent: quantized)
          let bytes = try file.encoded()
          #expect(try LatentFile(decoding: bytes) == file)
          let bits = Double(bytes.count * 8) / Double(latent.shape.scalarCount)
          #expect(bits < (most[storage] ?? 0) + 0.4, "\(name) \(picture) \(storage)")
        }
      }
    }
  }
}
