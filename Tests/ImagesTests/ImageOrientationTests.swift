import Images
import Testing

@Suite struct ImageOrientationTests {
  /// "1 2 3 / 4 5 6" as each orientation says that it lies.
  static let upright: [(ImageOrientation, [UInt8])] = [
    (.upright, [1, 2, 3, 4, 5, 6]), (.mirrored, [3, 2, 1, 6, 5, 4]),
    (.turned180, [6, 5, 4, 3, 2, 1]), (.flipped, [4, 5, 6, 1, 2, 3]),
    (.transposed, [1, 4, 2, 5, 3, 6]), (.turned90, [4, 1, 5, 2, 6, 3]),
    (.transversed, [6, 3, 5, 2, 4, 1]), (.turned270, [3, 6, 2, 5, 1, 4]),
  ]

  @Test(arguments: upright)
  func picturesAreTurned(orientation: ImageOrientation, expected: [UInt8]) {
    let turned = Image(3, 2, .grey, [1, 2, 3, 4, 5, 6]).turnedUpright(from: orientation)
    #expect(turned.samples == .eightBit(expected))
    #expect(turned.width == (orientation.swapsSides ? 2 : 3))
  }

  @Test(arguments: ImageOrientation.allCases, Image.Channels.allCases)
  func turningBackGivesThePicture(orientation: ImageOrientation, channels: Image.Channels) {
    let inverse: ImageOrientation =
      switch orientation {
      case .turned90: .turned270
      case .turned270: .turned90
      default: orientation
      }
    for (width, height) in awkwardSizes {
      let image = Image.noise(width: width, height: height, channels: channels, bitDepth: 16)
      let back = image.turnedUpright(from: orientation).turnedUpright(from: inverse)
      #expect(back.samples == image.samples)
      #expect(back.width == width)
    }
  }
}
