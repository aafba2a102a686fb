public import Images
import Tensors

/// Which pixels of a picture are drawn anew; the others stay as they are.
public struct PictureMask: Sendable {
  /// The rows of the picture.
  public let height: Int
  /// The columns of the picture.
  public let width: Int
  /// How much of the new picture each pixel takes, row by row: 0 where it is kept, up to 1.
  let weights: [Float]

  /// The mask of a picture: what is brighter than half is drawn anew, and what is dark or
  /// transparent is kept.
  ///
  /// - Parameters:
  ///   - image: of the size of the picture that is changed.
  ///   - feather: over how many pixels the new picture fades in, inside the part drawn anew.
  public init(_ image: Image, feather: Int) {
    height = image.height
    width = image.width
    let bytes = image.eightBit().flattened(red: 0, green: 0, blue: 0).converted(to: .rgb)
      .eightBitSamples
    let isNew = (0..<image.pixelCount).map { pixel in
      (0..<3).reduce(0) { $0 + Int(bytes[pixel * 3 + $1]) } >= 3 * 128
    }
    let distances = Self.distances(isNew, width: width, height: height)
    weights = distances.map { min(1, $0 / Float(feather + 1)) }
  }

  /// Whether nothing is drawn anew.
  public var isEmpty: Bool { !weights.contains { $0 > 0 } }

  /// How far each pixel is from the nearest that isn't set: 0 there, and infinite if all are set.
  ///
  /// Two passes, with steps of 1 and √2: Borgefors 1986, "Distance transformations in digital
  /// images".
  private static func distances(_ isSet: [Bool], width: Int, height: Int) -> [Float] {
    var distances = isSet.map { $0 ? Float.infinity : 0 }
    let diagonal = Float(2).squareRoot()
    func relax(_ x: Int, _ y: Int, _ direction: Int) {
      let neighbors = [(-1, 0, 1), (-1, -1, diagonal), (0, -1, 1), (1, -1, diagonal)]
      for (dx, dy, length) in neighbors {
        let (column, row) = (x + dx * direction, y + dy * direction)
        guard (0..<width).contains(column), (0..<height).contains(row) else { continue }
        distances[y * width + x] = min(
          distances[y * width + x], distances[row * width + column] + length)
      }
    }
    for y in 0..<height {
      for x in 0..<width { relax(x, y, 1) }
    }
    for y in (0..<height).reversed() {
      for x in (0..<width).reversed() { relax(x, y, -1) }
    }
    return distances
  }

  /// 1 at the places of a latent that stand for a pixel drawn anew, else 0.
  ///
  /// - Returns: `[1, height / factor, width / factor, channels]`.
  func latentMask(factor: Int, channels: Int) -> Tensor {
    let (rows, columns) = (height / factor, width / factor)
    var places = [Float](repeating: 0, count: rows * columns)
    for y in 0..<rows * factor {
      for x in 0..<columns * factor where weights[y * width + x] > 0 {
        places[y / factor * columns + x / factor] = 1
      }
    }
    return Tensor(
      places.flatMap { [Float](repeating: $0, count: channels) },
      shape: [1, rows, columns, channels])
  }

  /// The new picture where the mask says so, and the original, byte for byte, elsewhere.
  ///
  /// - Precondition: both have the mask's size.
  package func composed(_ original: Image, with new: Image) -> Image {
    precondition(
      original.width == width && original.height == height && new.width == width
        && new.height == height, "a mask of \(width)×\(height) for another size")
    let old = original.eightBit().converted(to: .rgb).eightBitSamples
    let drawn = new.eightBit().converted(to: .rgb).eightBitSamples
    var samples = old
    for pixel in weights.indices where weights[pixel] > 0 {
      for index in pixel * 3..<pixel * 3 + 3 {
        let change = (Float(drawn[index]) - Float(old[index])) * weights[pixel]
        samples[index] = UInt8(Float(old[index]) + change.rounded())
      }
    }
    return Image(width: width, height: height, channels: .rgb, samples: .eightBit(samples))
  }
}
