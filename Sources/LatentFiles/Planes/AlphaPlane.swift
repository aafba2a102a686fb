/// The opacity of a picture, which a `.latent` file keeps without loss beside the latent.
public struct AlphaPlane: Sendable, Equatable {
  /// The picture's rows.
  public let height: Int
  /// The picture's columns.
  public let width: Int
  /// The bits of a value: 8 or 16.
  public let bitDepth: Int
  /// The values row by row, from 0, transparent, to 255 or 65535, opaque.
  public let values: [UInt16]

  /// A plane with these values.
  ///
  /// - Precondition: there are `height · width` values, more than none; the bit depth is 8 or 16,
  ///   and holds them.
  public init(height: Int, width: Int, bitDepth: Int, values: [UInt16]) {
    precondition(
      height > 0 && width > 0 && values.count == height * width,
      "\(values.count) values for an alpha plane of \(height)×\(width)")
    precondition(bitDepth == 8 || bitDepth == 16, "an alpha plane of \(bitDepth) bits")
    precondition(
      bitDepth == 16 || values.allSatisfy { $0 <= 255 }, "more than 8 bits of alpha")
    self.height = height
    self.width = width
    self.bitDepth = bitDepth
    self.values = values
  }

  /// The filters that a writer tries.
  static let candidates: [PlaneFilter] = [.none, .delta, .paeth]

  /// The payload: with 16 bits, the low bytes of all values and then the high bytes.
  func payload(_ filter: PlaneFilter) -> [UInt8] {
    let mask: UInt16 = bitDepth == 8 ? 0xFF : 0xFFFF
    let differences = filter.differences(of: values, width: width, mask: mask)
    let low = differences.map { UInt8(truncatingIfNeeded: $0) }
    return bitDepth == 8 ? low : low + differences.map { UInt8($0 >> 8) }
  }

  /// The plane with this payload.
  ///
  /// - Precondition: the payload has the plane's size.
  init(payload: [UInt8], height: Int, width: Int, bitDepth: Int, filter: PlaneFilter) {
    let count = height * width
    let differences =
      bitDepth == 8
      ? payload.map { UInt16($0) }
      : (0..<count).map { UInt16(payload[count + $0]) << 8 | UInt16(payload[$0]) }
    let mask: UInt16 = bitDepth == 8 ? 0xFF : 0xFFFF
    self.init(
      height: height, width: width, bitDepth: bitDepth,
      values: filter.values(of: differences, width: width, mask: mask))
  }
}
