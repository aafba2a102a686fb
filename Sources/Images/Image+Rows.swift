public import Tensors

extension Image {
  /// Some rows of ``tensor()``, `[1, rows, width, 3]`, of the picture whose last row and column are
  /// repeated beyond its edges.
  ///
  /// - Precondition: `width` isn't below the picture's, and there is at least one row.
  public func tensor(rows: Range<Int>, width: Int) -> Tensor {
    precondition(!rows.isEmpty && width >= self.width, "\(rows) of \(width) columns")
    let inside = min(rows.lowerBound, height - 1)..<min(rows.upperBound, height)
    let row = self.width * channels.count
    let range = inside.lowerBound * row..<inside.upperBound * row
    let part: Samples =
      switch samples {
      case .eightBit(let samples): .eightBit(Array(samples[range]))
      case .sixteenBit(let samples): .sixteenBit(Array(samples[range]))
      }
    return replacing(height: inside.count, samples: part).tensor()
      .padded(height: rows.count, width: width)
  }
}

/// An 8-bit picture that is made from bands of rows, from the top down.
public struct ImageBuilder {
  private let width, height: Int
  private let channels: Image.Channels
  private var samples: [UInt8] = []

  /// A picture without rows yet, in ``Image/Channels/rgb`` or ``Image/Channels/grey``.
  public init(width: Int, height: Int, channels: Image.Channels) {
    self.width = width
    self.height = height
    self.channels = channels
    samples.reserveCapacity(width * height * channels.count)
  }

  /// How many rows are there.
  private var rowCount: Int { samples.count / (width * channels.count) }

  /// Adds the rows of a tensor `[1, rows, W, 3]` in −1…1, as `Image(_:channels:)` makes them; what
  /// lies beyond the picture's edges is left out.
  public mutating func append(_ rows: Tensor) {
    let count = min(rows.shape[1], height - rowCount)
    guard count > 0 else { return }
    let band = Image(rows.cropped(height: count, width: width), channels: channels)
    if case .eightBit(let part) = band.samples { samples.append(contentsOf: part) }
  }

  /// The picture.
  ///
  /// - Precondition: all rows were added.
  public consuming func image() -> Image {
    Image(width: width, height: height, channels: channels, samples: .eightBit(samples))
  }
}
