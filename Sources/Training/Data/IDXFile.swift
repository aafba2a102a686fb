import Foundation
public import Images
import Tensors

/// Reader of IDX files, in which MNIST and its kin come: equal grey or colour pictures in a block.
///
/// The header is big-endian: two zero bytes, the type (8: bytes without sign), the number of axes,
/// and the extent of each in four bytes: `[N, H, W]`, or `[N, H, W, 3]` for colour. Samples follow.
/// From the description at yann.lecun.com/exdb/mnist. Files compressed by gzip are read too.
public enum IDXFile {
  /// The most bytes that a file may hold once it isn't compressed any more.
  private static let byteLimit = 4 << 30
  private static let byteType: UInt8 = 8

  /// The pictures of a file.
  ///
  /// - Throws: ``TrainingDataError``, naming the file, if it can't be read or isn't as it should be.
  public static func pictures(path: String) throws(TrainingDataError) -> [Image] {
    let file: [UInt8]
    do {
      let source = try ByteSource(contentsOf: URL(filePath: path))
      guard source.byteCount <= byteLimit else {
        throw ByteSourceError(name: path, reason: "is larger than the limit of \(byteLimit) bytes")
      }
      file = try source.bytes(in: 0..<source.byteCount)
    } catch {
      throw .notFound(path: path, reason: (error as? ByteSourceError)?.reason ?? "\(error)")
    }
    guard Gzip.isCompressed(file) else { return try pictures(decoding: file, name: path) }
    do {
      return try pictures(decoding: Gzip.decompressed(file, byteLimit: byteLimit), name: path)
    } catch let error as GzipError {
      throw .damaged(path: path, reason: error.reason)
    } catch let error as TrainingDataError {
      throw error
    } catch {
      throw .damaged(path: path, reason: "\(error)")
    }
  }

  /// The pictures in the bytes of a file that isn't compressed.
  ///
  /// - Throws: ``TrainingDataError/damaged(path:reason:)`` with `name` as the path.
  public static func pictures(
    decoding bytes: [UInt8], name: String
  ) throws(TrainingDataError) -> [Image] {
    func damaged(_ reason: String) -> TrainingDataError { .damaged(path: name, reason: reason) }
    guard bytes.count >= 4, bytes[0] == 0, bytes[1] == 0 else {
      throw damaged("it isn't an IDX file, which begins with two zero bytes")
    }
    let axes = Int(bytes[3])
    guard bytes[2] == byteType, axes == 3 || axes == 4 else {
      throw damaged(
        "it is an IDX file of type \(bytes[2]) with \(axes) axes, where pictures have type 8 and "
          + "3 or 4 axes (a file of labels has 1)")
    }
    let start = 4 + 4 * axes
    guard bytes.count >= start else { throw damaged("it ends within its header") }
    let extents = (0..<axes).map { axis in
      bytes[(4 + 4 * axis)..<(8 + 4 * axis)].reduce(0) { $0 << 8 | Int($1) }
    }
    let channels: Image.Channels = axes == 3 ? .grey : .rgb
    guard extents.allSatisfy({ $0 >= 1 }), axes == 3 || extents[3] == 3,
      let wanted = extents.product, wanted == bytes.count - start
    else {
      throw damaged(
        "\(extents.map(String.init).joined(separator: "×")) samples don't fit the "
          + "\(bytes.count - start) bytes that follow the header")
    }
    let size = wanted / extents[0]
    return (0..<extents[0]).map { index in
      let samples = Array(bytes[(start + index * size)..<(start + (index + 1) * size)])
      return Image(
        width: extents[2], height: extents[1], channels: channels, samples: .eightBit(samples))
    }
  }
}
