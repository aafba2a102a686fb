/// How a picture goes through an autoencoder: at once, or in bands of rows if it is too large for
/// that; the result is the same to rounding.
public struct StreamingPlan: Sendable, Equatable {
  /// Whether each feature map is in memory as a whole.
  public internal(set) var isWhole = false
  /// About how many bytes a band of rows has in each feature map.
  var bandByteCount: Int
  /// The bytes of feature maps that are kept in memory; the rest is kept in a temporary file.
  var keptByteCount: Int
  /// Where the temporary file lies; nil for `$TMPDIR`.
  package var spillFolder: String?
  /// The bytes that the work takes at its peak, beside weights and pictures.
  public internal(set) var peakByteCount = 0
  /// The bytes that a temporary file takes.
  public internal(set) var spilledByteCount = 0

  /// A plan for bands of about so many bytes, with so many bytes of feature maps in memory.
  package init(bandByteCount: Int = 0, keptByteCount: Int = 0) {
    self.bandByteCount = bandByteCount
    self.keptByteCount = keptByteCount
  }

  var band: BandHeight { BandHeight(byteCount: bandByteCount) }

  /// Band sizes that are tried, the fastest first.
  static let bandByteCounts = [32, 24, 16, 12, 8, 6, 5, 4, 3, 2, 1].map { $0 << 20 }

  /// What isn't counted: bands of a picture's pixels, and the holes between blocks of memory.
  static let smallByteCount = 28 << 20
}

/// Which way data goes through an autoencoder.
public enum CodingDirection: Sendable {
  /// Pictures → latents.
  case encode
  /// Latents → pictures.
  case decode
}

/// A picture that doesn't fit into the memory that may be used.
public struct StreamingError: Error, Equatable {
  /// The fewest bytes, beside weights and pictures, that suffice.
  public let neededByteCount: Int
}

extension StreamingPlan {
  /// The picture as a whole where that fits, else in the largest bands that do.
  ///
  /// - Parameters:
  ///   - wholeByteCount: what the whole picture takes.
  ///   - limit: how many bytes there are.
  ///   - windowPeak: the most bytes in line buffers at once, for bands of a height.
  /// - Throws: ``StreamingError`` if even the smallest bands don't fit.
  init(
    wholeByteCount: Int, limit: Int, windowPeak: (BandHeight) -> Int
  ) throws(StreamingError) {
    self.init()
    peakByteCount = wholeByteCount + Self.smallByteCount
    isWhole = peakByteCount <= limit
    if isWhole { return }
    for bandByteCount in Self.bandByteCounts {
      self.bandByteCount = bandByteCount
      peakByteCount = windowPeak(band) + Self.smallByteCount
      if peakByteCount <= limit { return }
    }
    throw StreamingError(neededByteCount: peakByteCount)
  }
}
