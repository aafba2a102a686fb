public import Images
package import LatentFiles
import Tensors

/// What is done to a picture before it is encoded, as data sets for training need it.
public struct PicturePreparation: Sendable, Hashable {
  /// A size in pixels.
  public struct Size: Sendable, Hashable {
    /// The columns.
    public var width: Int
    /// The rows.
    public var height: Int

    /// A size.
    public init(width: Int, height: Int) {
      self.width = width
      self.height = height
    }
  }

  /// The size that all pictures get; nil to keep each picture's.
  ///
  /// What is too wide or too high is cut off on both sides alike, and the rest is resized by
  /// Lanczos' filter.
  public var size: Size?
  /// Whether pictures are mirrored left to right.
  public var mirrors: Bool

  /// A preparation; without arguments, none.
  public init(size: Size? = nil, mirrors: Bool = false) {
    self.size = size
    self.mirrors = mirrors
  }

  /// The prepared picture.
  ///
  /// - Precondition: the size is positive.
  public func callAsFunction(_ image: Image) -> Image {
    var image = image
    if let size, image.width != size.width || image.height != size.height {
      let width = min(image.width, max(1, (image.height * size.width) / size.height))
      let height = min(image.height, max(1, (image.width * size.height) / size.width))
      image = image.cropped(
        x: (image.width - width) / 2, y: (image.height - height) / 2, width: width, height: height
      ).resized(width: size.width, height: size.height)
    }
    return mirrors ? image.turnedUpright(from: .mirrored) : image
  }

  private enum Key {
    static let size = "resized_to"
    static let mirrors = "mirrored"
  }

  /// What a file's header keeps of it.
  var metadata: [(key: String, value: JSONValue)] {
    var members: [(key: String, value: JSONValue)] = []
    if let size { members.append((Key.size, .string("\(size.width)x\(size.height)"))) }
    if mirrors { members.append((Key.mirrors, .boolean(true))) }
    return members
  }

  /// The preparation of the picture that a file was made from.
  package init(of metadata: LatentMetadata) {
    self.init(mirrors: metadata.additional[Key.mirrors] == .boolean(true))
    if case .string(let text)? = metadata.additional[Key.size] { size = Size(text) }
  }
}

extension PicturePreparation.Size {
  /// From `64` or `768x512`; nil for anything else.
  public init?(_ text: String) {
    let sides = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
    guard (1...2).contains(sides.count), let width = sides[0], let height = sides[sides.count - 1],
      (1...65536).contains(width), (1...65536).contains(height)
    else { return nil }
    self.init(width: width, height: height)
  }
}
