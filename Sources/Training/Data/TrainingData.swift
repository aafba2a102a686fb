import Foundation
import Tensors

/// The pictures of a run: those to train with, and those to validate with.
public struct TrainingData: Sendable {
  /// The whole data set.
  public let source: any PictureSource
  /// The numbers of the pictures to train with, in rising order.
  public let training: [Int]
  /// The numbers of the pictures to validate with, in rising order.
  public let validation: [Int]

  /// A data set that is divided by a hash of each picture's name, so that a picture stays on its
  /// side when others come or go.
  ///
  /// A picture is for validation if the CRC-32 of its name, divided by 2³², is below
  /// `validationFraction`. Where a side would be empty though the fraction is neither 0 nor 1 and
  /// there are two pictures, it gets the picture whose hash is the nearest.
  ///
  /// - Precondition: the fraction is in 0…1.
  public init(_ source: any PictureSource, validationFraction: Double) {
    precondition((0...1).contains(validationFraction), "a part of \(validationFraction)")
    self.source = source
    let sides = ValidationSplit.sides(
      of: (0..<source.count).map(source.name(at:)), fraction: validationFraction)
    (training, validation) = (sides.training, sides.validation)
  }

  /// The data set at a path: a folder of pictures, or an IDX file (also with gzip).
  ///
  /// - Parameters:
  ///   - path: The folder or file.
  ///   - cacheByteCount: How much memory decoded pictures may take.
  ///   - notice: Called with what is missing or unreadable.
  /// - Returns: The data set.
  /// - Throws: ``TrainingDataError``.
  public static func source(
    path: String, cacheByteCount: Int = 1 << 30, notice: (String) -> Void = { _ in }
  ) throws(TrainingDataError) -> any PictureSource {
    guard FileManager.default.fileExists(atPath: path) else {
      throw .notFound(path: path, reason: "there is no such folder or file; check the name")
    }
    // Only folders, and links to them, hold themselves.
    if FileManager.default.fileExists(atPath: "\(path)/.") {
      return try ImageFolder(path: path, cacheByteCount: cacheByteCount, notice: notice)
    }
    return InMemoryPictures(try IDXFile.pictures(path: path))
  }
}
