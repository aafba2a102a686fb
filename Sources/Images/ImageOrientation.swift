/// How the rows and columns of a file lie in the picture: the values of EXIF's tag 0x0112.
public enum ImageOrientation: Int, Sendable, Hashable, Codable, CaseIterable {
  /// The first row is the top, the first column the left.
  case upright = 1
  /// Mirrored left to right.
  case mirrored = 2
  /// Turned by half.
  case turned180 = 3
  /// Mirrored top to bottom.
  case flipped = 4
  /// Mirrored about the diagonal from the top left.
  case transposed = 5
  /// To be turned a quarter clockwise.
  case turned90 = 6
  /// Mirrored about the diagonal from the top right.
  case transversed = 7
  /// To be turned a quarter anticlockwise.
  case turned270 = 8

  /// Whether the file's rows are the picture's columns.
  public var swapsSides: Bool { rawValue >= 5 }
}

extension Image {
  /// The picture turned upright from a file that lies as `orientation` says.
  public func turnedUpright(from orientation: ImageOrientation) -> Image {
    guard orientation != .upright else { return self }
    let turned: Samples =
      switch samples {
      case .eightBit(let samples):
        .eightBit(
          PixelLoops.turned(
            samples, width: width, height: height, channelCount: channels.count, orientation))
      case .sixteenBit(let samples):
        .sixteenBit(
          PixelLoops.turned(
            samples, width: width, height: height, channelCount: channels.count, orientation))
      }
    return replacing(
      width: orientation.swapsSides ? height : width,
      height: orientation.swapsSides ? width : height, samples: turned)
  }
}
