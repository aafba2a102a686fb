import Foundation
import LatentFiles
import Tensors
import TestSupport
import Testing

/// The document and the code say the same.
@Suite struct FileFormatTests {
  /// The bytes of the document's example.
  private static func example() throws -> [UInt8] {
    let document = SharedFiles.checkout
      .appending(path: "Sources/LatentFiles/LatentFiles.docc/FileFormat.md")
    let text = try String(contentsOf: document, encoding: .utf8)
    let block = try #require(text.split(separator: "```").dropFirst().first)
    return try block.split(whereSeparator: \.isWhitespace).map { byte in
      try #require(UInt8(byte, radix: 16))
    }
  }

  @Test func theExampleIsRead() throws {
    let file = try LatentFile(decoding: Self.example())
    let tensor = file.latent.dequantized()
    #expect(tensor.shape == [1, 2, 3, 1])
    #expect(tensor.scalars == [-2, -1.5, -1, 0, 64, 125.5])
    #expect(file.metadata == Self.metadata)
    #expect(file.alpha == nil)
  }

  @Test func theExampleIsWritten() throws {
    let latent = try LatentQuantizer(storage: .int8).quantize(
      Tensor([-2, -1.5, -1, 0, 64, 125.5], shape: [1, 2, 3, 1]))
    let bytes = try LatentFile(metadata: Self.metadata, latent: latent).encoded()
    #expect(try bytes == Self.example())
  }

  private static let metadata = LatentMetadata(
    program: "lvae 1.0.0",
    model: LatentModel(
      name: "example", className: "AutoencoderKL",
      sha256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      scalingFactor: 0.18215),
    spatialFactor: 8)
}
