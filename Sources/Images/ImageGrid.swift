/// Pictures of one size side by side in rows, as one picture: what a network makes of samples.
public struct ImageGrid: Sendable {
  /// How many pictures stand in a row.
  public var columnCount: Int
  /// The pixels between pictures and around them.
  public var padding: Int
  /// The grey between them, 0…255.
  public var background: UInt8

  /// A grid.
  ///
  /// - Precondition: there is a column, and the padding isn't negative.
  public init(columnCount: Int, padding: Int = 2, background: UInt8 = 255) {
    precondition(columnCount >= 1 && padding >= 0, "\(columnCount) columns, \(padding) apart")
    self.columnCount = columnCount
    self.padding = padding
    self.background = background
  }

  /// The pictures in rows from the top left, in 8 bits and in colour; opacity is blended over the
  /// background.
  ///
  /// A picture that is smaller than the largest stands in the top left of its tile.
  ///
  /// - Precondition: there is a picture.
  public func image(of pictures: [Image]) -> Image {
    precondition(!pictures.isEmpty, "a grid without pictures")
    let tileWidth = pictures.map(\.width).max() ?? 1
    let tileHeight = pictures.map(\.height).max() ?? 1
    let columns = min(columnCount, pictures.count)
    let rows = (pictures.count + columns - 1) / columns
    let width = columns * (tileWidth + padding) + padding
    let height = rows * (tileHeight + padding) + padding
    var samples = [UInt8](repeating: background, count: width * height * 3)
    for (index, picture) in pictures.enumerated() {
      let x = padding + index % columns * (tileWidth + padding)
      let y = padding + index / columns * (tileHeight + padding)
      let tile = picture.eightBit()
        .flattened(red: background, green: background, blue: background).converted(to: .rgb)
        .eightBitSamples
      let row = picture.width * 3
      for line in 0..<picture.height {
        let start = ((y + line) * width + x) * 3
        samples.replaceSubrange(start..<start + row, with: tile[line * row..<(line + 1) * row])
      }
    }
    return Image(width: width, height: height, channels: .rgb, samples: .eightBit(samples))
  }
}
