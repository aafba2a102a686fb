public import Images

/// A data set of pictures, each of which can be had by its number at any time from any thread.
public protocol PictureSource: Sendable {
  /// How many pictures there are.
  var count: Int { get }

  /// What a picture is called: its path below the data set's folder, or a number. Names don't
  /// change from run to run.
  func name(at index: Int) -> String

  /// A picture: upright sRGB in 8 bits, grey or in colour, without opacity.
  ///
  /// - Throws: ``TrainingDataError/unreadable(name:reason:)``.
  func picture(at index: Int) throws(TrainingDataError) -> Image

  /// A picture's width and height, in either order, without decoding it where that can be avoided.
  ///
  /// - Throws: ``TrainingDataError/unreadable(name:reason:)``.
  func extents(at index: Int) throws(TrainingDataError) -> (width: Int, height: Int)
}

extension PictureSource {
  /// The size of the picture itself.
  ///
  /// - Throws: ``TrainingDataError/unreadable(name:reason:)``.
  public func extents(at index: Int) throws(TrainingDataError) -> (width: Int, height: Int) {
    let picture = try picture(at: index)
    return (picture.width, picture.height)
  }
}

/// Why there is nothing to train with.
public enum TrainingDataError: Error, Hashable, Sendable {
  /// The folder or file isn't a data set.
  case notFound(path: String, reason: String)
  /// There is no picture in the folder.
  case empty(path: String, formats: [String])
  /// A file can't be read as a picture.
  case unreadable(name: String, reason: String)
  /// More files than the limit can't be read; the first of them.
  case tooManyUnreadable(count: Int, limit: Int, examples: [String])
  /// A picture is smaller than what is to be cut from it.
  case tooSmall(name: String, width: Int, height: Int, crop: Int)
  /// Pictures are smaller than what is to be cut from them; the first of them.
  case tooManySmall(count: Int, of: Int, crop: Int, smallest: Int, examples: [String])
  /// There is no latent in the folders and shards.
  case noLatents(path: String)
  /// A latent doesn't go with the first one.
  case otherLatent(name: String, property: String, found: String, first: String, expected: String)
  /// The classes of latents can't be told.
  case labels(path: String, reason: String)
  /// A file of packed pictures contradicts its format.
  case damaged(path: String, reason: String)
}

extension TrainingDataError: CustomStringConvertible {
  /// What is wrong, and what to do.
  public var description: String {
    switch self {
    case .notFound(let path, let reason): "\(path): \(reason)"
    case .empty(let path, let formats):
      "\(path): no pictures found (looked for \(formats.joined(separator: ", "))); "
        + "give a folder with pictures, or a file of packed ones (IDX)"
    case .unreadable(let name, let reason):
      reason.contains(name) ? reason : "\(name): \(reason)"
    case .tooManyUnreadable(let count, let limit, let examples):
      "\(count) pictures can't be read and the limit is \(limit); mend or remove them:\n  "
        + examples.joined(separator: "\n  ")
    case .tooSmall(let name, let width, let height, let crop):
      "\(name): \(width)×\(height) pixels are too small for crops of \(crop)×\(crop); set "
        + "data.crop to at most \(min(width, height)), set data.enlarge_small to true, or remove it"
    case .tooManySmall(let count, let all, let crop, let smallest, let examples):
      "\(count) of \(all) pictures are too small for crops of \(crop)×\(crop); set data.crop to at "
        + "most \(smallest), set data.enlarge_small to true, or remove them:\n  "
        + examples.joined(separator: "\n  ")
    case .noLatents(let path):
      "\(path): no .latent files found, and no .tar shards of such; make some with "
        + "`lvae encode PICTURES -o FOLDER`"
    case .otherLatent(let name, let property, let found, let first, let expected):
      "\(name): its \(property) is \(found), and that of \(first) is \(expected); give a folder "
        + "whose files were all encoded with one model and one --size"
    case .labels(let path, let reason): "\(path): \(reason)"
    case .damaged(let path, let reason):
      "\(path): \(reason); copy it again from where it came"
    }
  }
}

extension Image {
  /// What is kept of a picture for training: 8 bits, opacity blended over white.
  var preparedForTraining: Image {
    eightBit().flattened(red: 255, green: 255, blue: 255)
  }
}
