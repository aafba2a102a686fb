public import Foundation
import Tensors

/// How large a file may be that is read without asking.
public struct ImageLimits: Sendable, Hashable {
  /// The most pixels a picture may have; it is compared with the header, before any memory is taken.
  public var maximumPixelCount: Int
  /// The most bytes a file may have.
  public var maximumByteCount: Int

  /// Limits; 2²⁸ pixels (16384×16384) and 2³⁰ bytes unless said otherwise.
  public init(maximumPixelCount: Int = 1 << 28, maximumByteCount: Int = 1 << 30) {
    self.maximumPixelCount = maximumPixelCount
    self.maximumByteCount = maximumByteCount
  }

  /// Refuses a picture with more pixels.
  func check(width: Int, height: Int) throws(ImageError) {
    let (count, overflow) = width.multipliedReportingOverflow(by: height)
    guard !overflow, count <= maximumPixelCount else {
      throw .tooManyPixels(width: width, height: height, limit: maximumPixelCount)
    }
  }
}

/// What is done about colours that aren't sRGB.
public enum ColorManagement: Sendable, Hashable {
  /// ICC profiles and PNG's gamma and primaries are converted to sRGB.
  case convertToSRGB
  /// The file's numbers are taken as they are; inks are still mixed to RGB.
  case ignore
}

extension Image {
  /// Reads a picture file; what format it has is told by its first bytes.
  ///
  /// - Throws: ``ImageError``, also for a file that is damaged or cut off anywhere.
  public init(
    contentsOf url: URL, limits: ImageLimits = ImageLimits(),
    colorManagement: ColorManagement = .convertToSRGB
  ) throws(ImageError) {
    let bytes = try Self.fileBytes(contentsOf: url, limit: limits.maximumByteCount)
    try self.init(decoding: bytes, limits: limits, colorManagement: colorManagement)
  }

  /// The bytes of a file, in which a picture is yet to be read.
  ///
  /// - Throws: ``ImageError/tooManyBytes(count:limit:)`` before anything is read, and
  ///   ``ImageError/unreadable(path:reason:)``.
  package static func fileBytes(
    contentsOf url: URL, limit: Int
  ) throws(ImageError) -> [UInt8] {
    let file: ByteSource
    do {
      file = try ByteSource(contentsOf: url)
    } catch {
      throw ImageError(error)
    }
    guard file.byteCount <= limit else {
      throw .tooManyBytes(count: file.byteCount, limit: limit)
    }
    do {
      return try file.bytes(in: 0..<file.byteCount)
    } catch {
      throw ImageError(error)
    }
  }

  /// Reads a picture from the bytes of a file; what format it has is told by the first of them.
  ///
  /// - Throws: ``ImageError``, also for bytes that are damaged or cut off anywhere.
  public init(
    decoding bytes: [UInt8], limits: ImageLimits = ImageLimits(),
    colorManagement: ColorManagement = .convertToSRGB
  ) throws(ImageError) {
    guard !bytes.isEmpty else { throw .empty }
    guard bytes.count <= limits.maximumByteCount else {
      throw .tooManyBytes(count: bytes.count, limit: limits.maximumByteCount)
    }
    guard let format = ImageFormat(firstBytes: bytes) else { throw .unknownFormat }
    let picture =
      switch format {
      case .png: try PNG.decode(bytes, limits: limits)
      case .jpeg: try JPEG.decode(bytes, limits: limits)
      case .webP: try WebP.decode(bytes, limits: limits)
      }
    self = picture.image(colorManagement: colorManagement)
  }
}

extension Image {
  /// The width and height that a file's header tells, before the picture is turned upright; its
  /// pixels aren't decoded.
  ///
  /// - Throws: ``ImageError`` for bytes that are no picture's.
  package static func headerExtents(
    decoding bytes: [UInt8]
  ) throws(ImageError) -> (width: Int, height: Int) {
    // Each reader compares the header's size with the limit before it does anything else.
    let limits = ImageLimits(maximumPixelCount: 0, maximumByteCount: .max)
    do {
      let image = try Image(decoding: bytes, limits: limits)
      return (image.width, image.height)
    } catch {
      guard case .tooManyPixels(let width, let height, _) = error else { throw error }
      return (width, height)
    }
  }
}

/// A picture as a format's reader delivers it: colours and orientation as in the file.
struct DecodedPicture {
  /// What the samples of a pixel are.
  enum Layout: Equatable {
    case image(Image.Channels)
    /// Four inks a pixel; inverted ones say how much light is left.
    case cmyk(isInverted: Bool)
  }

  /// What the file says about its colours.
  enum ColorDescription {
    case sRGB
    case iccProfile([UInt8])
    case gamma(GammaDescription)
  }

  var layout: Layout
  var samples: Image.Samples
  var color = ColorDescription.sRGB
  var source: ImageSource

  /// The picture in sRGB and upright.
  func image(colorManagement: ColorManagement) -> Image {
    var picture = self
    let channels = picture.convertColors(colorManagement)
    return Image(
      width: source.width, height: source.height, channels: channels, samples: picture.samples,
      source: picture.source
    ).turnedUpright(from: source.orientation)
  }

  /// Makes the samples sRGB, as far as it is wanted and the file's description is usable.
  private mutating func convertColors(_ management: ColorManagement) -> Image.Channels {
    if case .iccProfile = color { source.hasICCProfile = true }
    if management == .convertToSRGB {
      do {
        source.colorConversion = try convertSamplesToSRGB()
      } catch {
        source.warnings.append(error.reason)
      }
    }
    switch layout {
    case .image(let channels):
      return channels
    case .cmyk(let isInverted):
      if case .eightBit(let inks) = samples {
        samples = .eightBit(PixelLoops.plainRGB(cmyk: inks, isInverted: isInverted))
      }
      source.colorConversion = .plainCMYK
      return .rgb
    }
  }
}
