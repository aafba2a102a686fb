public import Foundation
import Tensors

/// What a `.latent` file holds: a quantised latent, where it came from, and the picture's alpha.
///
/// <doc:FileFormat> describes the bytes.
public struct LatentFile: Sendable, Equatable {
  /// Where the latent came from.
  public var metadata: LatentMetadata
  /// The latent.
  public var latent: QuantizedLatent
  /// The picture's alpha, kept without loss; `nil` if it has none or it was flattened.
  public var alpha: AlphaPlane?

  /// A file with these contents.
  public init(metadata: LatentMetadata, latent: QuantizedLatent, alpha: AlphaPlane? = nil) {
    self.metadata = metadata
    self.latent = latent
    self.alpha = alpha
  }

  /// Reads a file.
  ///
  /// - Throws: any ``LatentFileError`` that is about reading.
  public init(
    contentsOf url: URL, limits: LatentFileLimits = LatentFileLimits()
  ) throws(LatentFileError) {
    try self.init(contentsOf: url, in: nil, limits: limits)
  }

  /// Reads a file, or just the bytes in `range` of one: a member of a tar.
  ///
  /// - Throws: any ``LatentFileError`` that is about reading.
  package init(
    contentsOf url: URL, in range: Range<Int>?, limits: LatentFileLimits = LatentFileLimits()
  ) throws(LatentFileError) {
    let file = try ByteSource(latentFileAt: url, in: range)
    var bytes = try Self.headerBytes(file, limits: limits)
    let header = try HeaderFrame.header(in: bytes, limits: limits).header
    // No well-made frame is much larger than its content: what is beyond this is not read.
    let frameCount = header.planeCount + 1
    let most = header.payloadByteCount + header.payloadByteCount / 64 + 1024 * frameCount
    bytes += try file.latentBytes(from: bytes.count, upTo: most)
    try self.init(decoding: bytes, limits: limits)
  }

  /// Reads the header of a file, and nothing else of it.
  ///
  /// - Throws: any ``LatentFileError`` that is about headers.
  public static func readHeader(
    contentsOf url: URL, limits: LatentFileLimits = LatentFileLimits()
  ) throws(LatentFileError) -> LatentHeader {
    try readHeader(contentsOf: url, in: nil, limits: limits)
  }

  /// Reads the header of a file, or of the bytes in `range` of one: a member of a tar.
  ///
  /// - Throws: any ``LatentFileError`` that is about headers.
  package static func readHeader(
    contentsOf url: URL, in range: Range<Int>?, limits: LatentFileLimits = LatentFileLimits()
  ) throws(LatentFileError) -> LatentHeader {
    let file = try ByteSource(latentFileAt: url, in: range)
    return try readHeader(decoding: try headerBytes(file, limits: limits), limits: limits)
  }

  /// Reads the header of a file's bytes, or of so many of them that the header is whole.
  ///
  /// - Throws: any ``LatentFileError`` that is about headers.
  public static func readHeader(
    decoding bytes: [UInt8], limits: LatentFileLimits = LatentFileLimits()
  ) throws(LatentFileError) -> LatentHeader {
    try HeaderFrame.header(in: bytes, limits: limits).header
  }

  private static func headerBytes(
    _ file: ByteSource, limits: LatentFileLimits
  ) throws(LatentFileError) -> [UInt8] {
    let prefix = try file.latentBytes(from: 0, upTo: HeaderFrame.prefixByteCount)
    let byteCount = try HeaderFrame.byteCount(prefix: prefix, limits: limits)
    return try file.latentBytes(from: 0, upTo: byteCount)
  }
}
