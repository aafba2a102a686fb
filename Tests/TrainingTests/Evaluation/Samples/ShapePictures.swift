import Images
import TestSupport
import Training

/// Pictures of three classes that a small network tells apart: bars, columns and discs in some
/// colour at some place, on noise.
enum ShapePictures {
  static let classNames = ["bar", "column", "disc"]

  /// A picture of a class.
  static func picture(_ place: Int, seed: UInt64, side: Int = 16) -> Image {
    var random = SeededRandomSource(state: seed &* 7919 &+ UInt64(place))
    func next(below count: Int) -> Int { Int(random.next() >> 33) % count }
    for _ in 0..<4 { _ = next(below: 2) }
    let color = (0..<3).map { _ in next(below: 128) }
    let (x, y) = (4 + next(below: side - 8), 4 + next(below: side - 8))
    var samples: [UInt8] = []
    for row in 0..<side {
      for column in 0..<side {
        let (dx, dy) = (column - x, row - y)
        let isInside =
          switch place {
          case 0: abs(dy) <= 1
          case 1: abs(dx) <= 1
          default: dx * dx + dy * dy <= 10
          }
        for channel in 0..<3 {
          samples.append(UInt8(isInside ? color[channel] : 215 + next(below: 40)))
        }
      }
    }
    return Image(width: side, height: side, channels: .rgb, samples: .eightBit(samples))
  }

  /// So many of each class, in the folders of their classes.
  static func set(
    _ countPerClass: Int, firstSeed: UInt64 = 0, path: String = "shapes"
  ) throws -> SquarePictures {
    var names: [String] = []
    var squares: [Image] = []
    for (place, name) in classNames.enumerated() {
      for index in 0..<countPerClass {
        names.append("\(name)/\(index).png")
        squares.append(picture(place, seed: firstSeed + UInt64(index)))
      }
    }
    return try SquarePictures(path: path, names: names, squares: squares, labels: .folders)
  }
}
