public import Images
import Pipelines

/// The pictures of a folder and the folders below it, in the order of their names.
///
/// Pictures are read when they are asked for; what was read is kept in 8 bits while memory for it
/// is left. Hidden files are left out.
public struct ImageFolder: PictureSource {
  /// The folder's path.
  public let path: String
  private let files: [InputFile]
  private let limits: ImageLimits
  private let cache: PictureCache

  /// The pictures below a folder.
  ///
  /// - Parameters:
  ///   - path: The folder.
  ///   - cacheByteCount: How much memory decoded pictures may take.
  ///   - limits: How large a file may be.
  ///   - notice: Called with what is missing or unreadable in the folder.
  /// - Throws: ``TrainingDataError/empty(path:formats:)``, also where there is no such folder.
  public init(
    path: String, cacheByteCount: Int = 1 << 30, limits: ImageLimits = ImageLimits(),
    notice: (String) -> Void = { _ in }
  ) throws(TrainingDataError) {
    let extensions = Set(ImageFormat.allCases.flatMap(\.fileExtensions))
    let list: InputList
    do {
      list = try InputWalker.expand([path], extensions: extensions)
    } catch {
      if case .nothingFound(_, _, let failures) = error, let failure = failures.first {
        throw .notFound(path: failure.path, reason: failure.reason)
      }
      throw .empty(path: path, formats: extensions.sorted())
    }
    for failure in list.failures { notice("\(failure.path): \(failure.reason)") }
    self.path = path
    self.limits = limits
    files = list.files
    cache = PictureCache(byteCount: cacheByteCount)
  }

  /// How many files there are.
  public var count: Int { files.count }

  /// A file's path below the folder.
  public func name(at index: Int) -> String { files[index].relativePath }

  /// A file's picture.
  ///
  /// - Throws: ``TrainingDataError/unreadable(name:reason:)``, which names the file's whole path.
  public func picture(at index: Int) throws(TrainingDataError) -> Image {
    if let image = cache[index] { return image }
    let file = files[index]
    let image: Image
    do {
      image = try Image(decoding: FileReading.bytes(of: file), limits: limits).preparedForTraining
    } catch {
      throw .unreadable(name: file.path, reason: error.description)
    }
    cache.add(image, at: index)
    return image
  }

  /// What the file's header says, or the picture that was read before.
  ///
  /// - Throws: ``TrainingDataError/unreadable(name:reason:)``, which names the file's whole path.
  public func extents(at index: Int) throws(TrainingDataError) -> (width: Int, height: Int) {
    if let image = cache[index] { return (image.width, image.height) }
    let file = files[index]
    do {
      return try Image.headerExtents(decoding: FileReading.bytes(of: file))
    } catch {
      throw .unreadable(name: file.path, reason: error.description)
    }
  }
}
