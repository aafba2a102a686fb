/// Conversions between binary32 and the 16-bit formats, by their bits: rounding is to the nearest,
/// ties to even.
enum FloatConversion {
  /// The bits of the binary16 number nearest to `value`; `nil` if that is infinite or NaN.
  static func binary16(_ value: Float) -> UInt16? {
    let sign = UInt16(value.bitPattern >> 31) << 15
    let magnitude = value.bitPattern & 0x7FFF_FFFF
    // 65520 lies halfway between 65504, the greatest number, and the next power of two.
    guard magnitude < Float(65520).bitPattern else { return nil }
    let leastNormal: UInt32 = 113 << 23  // 2⁻¹⁴
    if magnitude < leastNormal {
      // A multiple of 2⁻²⁴: adding ½ leaves that multiple, rounded, in the low bits.
      let sum = Float(bitPattern: magnitude) + 0.5
      return sign | UInt16(truncatingIfNeeded: sum.bitPattern &- Float(0.5).bitPattern)
    }
    let rebased = magnitude - (112 << 23)
    let rounded = rebased + 0xFFF + (rebased >> 13 & 1)
    return sign | UInt16(truncatingIfNeeded: rounded >> 13)
  }

  /// The number with these bits as binary16.
  static func float(binary16 bits: UInt16) -> Float {
    let sign = UInt32(bits >> 15) << 31
    let exponent = UInt32(bits >> 10 & 31)
    let fraction = UInt32(bits & 0x3FF)
    switch exponent {
    case 0:
      let magnitude = Float(fraction) * 0x1p-24
      return Float(bitPattern: sign | magnitude.bitPattern)
    case 31: return Float(bitPattern: sign | 0x7F80_0000 | fraction << 13)
    default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
    }
  }

  /// The bits of the bfloat16 number nearest to `value`; `nil` if that is infinite or NaN.
  static func bfloat16(_ value: Float) -> UInt16? {
    guard value.isFinite else { return nil }
    let bits = value.bitPattern
    let rounded = UInt16(truncatingIfNeeded: (bits + 0x7FFF + (bits >> 16 & 1)) >> 16)
    return rounded & 0x7F80 == 0x7F80 ? nil : rounded
  }

  /// The number with these bits as bfloat16.
  static func float(bfloat16 bits: UInt16) -> Float {
    Float(bitPattern: UInt32(bits) << 16)
  }
}
