public import Images

/// A data set that is in memory as a whole, for many small pictures.
public struct InMemoryPictures: PictureSource {
  private let images: [Image]
  private let label: String

  /// A data set of these pictures; opacity is blended over white, and 16 bits become 8.
  ///
  /// - Parameters:
  ///   - images: The pictures.
  ///   - name: What stands before a picture's number in its name.
  public init(_ images: [Image], name: String = "picture") {
    self.images = images.map(\.preparedForTraining)
    label = name
  }

  /// How many pictures there are.
  public var count: Int { images.count }

  /// The data set's name and the picture's number: `picture-17`.
  public func name(at index: Int) -> String { "\(label)-\(index)" }

  /// The picture of this number.
  public func picture(at index: Int) -> Image { images[index] }
}
