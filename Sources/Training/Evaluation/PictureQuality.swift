public import Images

/// What a coder made of a picture: how large the file is, and how like the picture what it decodes
/// to.
public struct PictureQuality: Hashable, Sendable, Encodable {
  /// The whole file, header and opacity included.
  public let bytes: Int
  /// 8 · ``bytes`` / pixels.
  public let bitsPerPixel: Double
  /// In decibels, over red, green and blue in 8 bits; infinite for equal pictures.
  public let psnr: Double
  /// nil where a side is shorter than its window of 11.
  public let ssim: Double?
  /// nil where a side is 160 or shorter.
  public let msSsim: Double?

  /// Measures a decoded picture.
  ///
  /// - Precondition: both pictures have the same size.
  public init(of decoded: Image, comparedWith original: Image, byteCount: Int) {
    bytes = byteCount
    bitsPerPixel = Double(8 * byteCount) / Double(original.pixelCount)
    psnr = decoded.peakSignalToNoiseRatio(to: original)
    ssim = decoded.structuralSimilarity(to: original)
    msSsim = decoded.multiScaleStructuralSimilarity(to: original)
  }
}

/// The means of ``PictureQuality`` over pictures.
public struct QualityMeans: Hashable, Sendable {
  /// The mean of the pictures' bits a pixel, whatever their sizes.
  public private(set) var bitsPerPixel = Mean()
  /// The mean of the pictures' PSNR; one above 100 dB, as of equal pictures, counts as 100.
  public private(set) var psnr = Mean()
  /// The mean SSIM of the pictures that are large enough for it.
  public private(set) var ssim = Mean()
  /// The mean MS-SSIM of the pictures that are large enough for it.
  public private(set) var msSsim = Mean()

  /// Means of nothing yet.
  public init() {}

  /// Takes in a picture.
  public mutating func add(_ quality: PictureQuality) {
    bitsPerPixel.add(quality.bitsPerPixel)
    psnr.add(min(100, quality.psnr))
    ssim.add(quality.ssim)
    msSsim.add(quality.msSsim)
  }

  /// How many pictures were taken in.
  public var pictureCount: Int { bitsPerPixel.count }

  /// The point of a rate–distortion curve; nil before a picture was taken in.
  public func point(_ figure: KeyPath<QualityMeans, Mean>) -> RateDistortionCurve.Point? {
    guard let rate = bitsPerPixel.value, let quality = self[keyPath: figure].value else {
      return nil
    }
    return RateDistortionCurve.Point(bitsPerPixel: rate, quality: quality)
  }
}

extension QualityMeans: Encodable {
  private enum Keys: String, CodingKey {
    case pictures, bitsPerPixel, psnr, ssim, msSsim, ssimPictures, msSsimPictures
  }

  /// Each mean, and over how many pictures those are that not all have.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Keys.self)
    try container.encode(pictureCount, forKey: .pictures)
    try container.encodeIfPresent(bitsPerPixel.value, forKey: .bitsPerPixel)
    try container.encodeIfPresent(psnr.value, forKey: .psnr)
    try container.encodeIfPresent(ssim.value, forKey: .ssim)
    try container.encode(ssim.count, forKey: .ssimPictures)
    try container.encodeIfPresent(msSsim.value, forKey: .msSsim)
    try container.encode(msSsim.count, forKey: .msSsimPictures)
  }
}

/// A mean of numbers that come one by one.
public struct Mean: Hashable, Sendable {
  /// How many came.
  public private(set) var count = 0
  private var sum = 0.0

  /// A mean of nothing yet.
  public init() {}

  /// Takes in a number; nil is left out.
  public mutating func add(_ number: Double?) {
    guard let number else { return }
    sum += number
    count += 1
  }

  /// The mean; nil before a number came.
  public var value: Double? { count > 0 ? sum / Double(count) : nil }
}
