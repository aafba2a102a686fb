public import Images

/// A codec of pictures that latents are compared with.
public enum ReferenceCodec: String, CaseIterable, Sendable, Encodable {
  /// libjpeg-turbo, progressive, so that Huffman codes are the picture's own; colours at full resolution from quality 90 on, else at half.
  case jpeg = "JPEG"
  /// libwebp, lossy, with its usual effort.
  case webP = "WebP"

  /// The qualities that it has.
  public var qualities: ClosedRange<Int> { self == .jpeg ? 1...100 : 0...100 }

  /// The longest side of a picture that its encoder takes.
  public var sideLimit: Int { format.encodedSideLimit ?? .max }

  private var format: ImageFormat { self == .jpeg ? .jpeg : .webP }

  /// Those that its rate–distortion curve is drawn through.
  public var curveQualities: [Int] {
    switch self {
    case .jpeg: [2, 5, 10, 20, 35, 50, 70, 85, 95]
    case .webP: [0, 5, 10, 20, 35, 50, 70, 85, 95]
    }
  }

  /// The file of an opaque picture.
  ///
  /// - Throws: `ImageError` for sides beyond the format's.
  public func encoded(_ picture: Image, quality: Int) throws(ImageError) -> [UInt8] {
    switch self {
    case .jpeg: try picture.encoded(as: .jpeg(quality: quality, isProgressive: true))
    case .webP: try picture.encoded(as: .webP(quality: Float(quality)))
    }
  }
}

/// A picture in a codec: along its curve, and in files as large as others.
public struct CodecComparison: Sendable {
  /// What one quality gives.
  public struct Result: Hashable, Sendable {
    /// The codec's setting.
    public let quality: Int
    /// The file's size and likeness.
    public let measured: PictureQuality
  }

  /// The codec.
  public let codec: ReferenceCodec
  /// At each of ``ReferenceCodec/curveQualities``; empty if it isn't wanted.
  public private(set) var curve: [Result] = []
  /// For each wanted size, the quality whose file comes nearest.
  public private(set) var nearest: [Result] = []

  private let picture: Image
  private var sizes: [Int: Int] = [:]
  private var results: [Int: Result] = [:]

  /// Encodes a picture.
  ///
  /// - Parameters:
  ///   - picture: An opaque picture.
  ///   - codec: The codec.
  ///   - byteCounts: The sizes to come near to.
  ///   - includesCurve: Whether the points of the codec's curve are wanted, too.
  /// - Throws: `ImageError` for sides beyond the format's.
  public init(
    of picture: Image, codec: ReferenceCodec, byteCounts: [Int], includesCurve: Bool = true
  ) throws(ImageError) {
    self.codec = codec
    self.picture = picture
    for quality in codec.curveQualities where includesCurve { curve.append(try result(quality)) }
    for byteCount in byteCounts {
      nearest.append(try result(try nearestQuality(to: byteCount)))
    }
  }

  private mutating func result(_ quality: Int) throws(ImageError) -> Result {
    if let known = results[quality] { return known }
    let bytes = try codec.encoded(picture, quality: quality)
    sizes[quality] = bytes.count
    let result = Result(
      quality: quality,
      measured: PictureQuality(
        of: try Image(decoding: bytes), comparedWith: picture, byteCount: bytes.count))
    results[quality] = result
    return result
  }

  private mutating func byteCount(_ quality: Int) throws(ImageError) -> Int {
    if let known = sizes[quality] { return known }
    let count = try codec.encoded(picture, quality: quality).count
    sizes[quality] = count
    return count
  }

  /// The quality whose file is nearest in size, taking it that files grow with the quality.
  private mutating func nearestQuality(to wanted: Int) throws(ImageError) -> Int {
    var (low, high) = (codec.qualities.lowerBound, codec.qualities.upperBound)
    while low < high {
      let middle = (low + high) / 2
      if try byteCount(middle) < wanted { low = middle + 1 } else { high = middle }
    }
    let below = max(codec.qualities.lowerBound, low - 1)
    return abs(try byteCount(below) - wanted) < abs(try byteCount(low) - wanted) ? below : low
  }
}
