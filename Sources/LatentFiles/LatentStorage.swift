/// How the numbers of a latent are stored.
public enum LatentStorage: String, Sendable, CaseIterable {
  /// 256 levels between the least and the greatest value of a channel.
  case int8
  /// 64 levels between the least and the greatest value of a channel.
  case int6
  /// 32 levels between the least and the greatest value of a channel.
  case int5
  /// 16 levels between the least and the greatest value of a channel.
  case int4
  /// IEEE 754 binary16: 11 significant bits, up to 65504.
  case f16
  /// The upper half of binary32: 8 significant bits.
  case bf16
  /// IEEE 754 binary32: nothing is lost.
  case f32

  /// The bits of one value before compression.
  public var bitsPerValue: Int {
    switch self {
    case .int4: 4
    case .int5: 5
    case .int6: 6
    case .int8: 8
    case .f16, .bf16: 16
    case .f32: 32
    }
  }

  /// Whether values are levels of a scale, rather than floating-point numbers.
  public var isInteger: Bool { bitsPerValue <= 8 }

  /// The greatest code of an integer storage; the least is 0.
  package var greatestCode: Int { (1 << bitsPerValue) - 1 }

  /// The bytes of one value in memory: a code takes a byte.
  package var bytesPerValue: Int { isInteger ? 1 : bitsPerValue / 8 }

  /// The bytes of a plane of `count` values in the payload: two values of `int4` share a byte.
  package func payloadByteCount(valueCount count: Int) -> Int {
    self == .int4 ? count / 2 + count % 2 : count * bytesPerValue
  }
}
