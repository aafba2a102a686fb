/// How a file stores the scalars of a tensor; raw values are safetensors' names.
public enum ScalarType: String, Hashable, Sendable, CaseIterable {
  /// A byte that is 0 or 1.
  case boolean = "BOOL"
  /// Integers without sign.
  case uint8 = "U8", uint16 = "U16", uint32 = "U32", uint64 = "U64"
  /// Integers with a sign, two's complement.
  case int8 = "I8", int16 = "I16", int32 = "I32", int64 = "I64"
  /// 8-bit floats of the Open Compute Project.
  case float8E4M3 = "F8_E4M3", float8E5M2 = "F8_E5M2"
  /// IEEE binary16, and the upper half of a float32.
  case float16 = "F16", bfloat16 = "BF16"
  /// IEEE binary32 and binary64.
  case float32 = "F32", float64 = "F64"

  /// The size of a scalar in bytes.
  public var byteCount: Int {
    switch self {
    case .boolean, .uint8, .int8, .float8E4M3, .float8E5M2: 1
    case .uint16, .int16, .float16, .bfloat16: 2
    case .uint32, .int32, .float32: 4
    case .uint64, .int64, .float64: 8
    }
  }

  /// Whether scalars are integers or booleans.
  public var isInteger: Bool {
    switch self {
    case .float8E4M3, .float8E5M2, .float16, .bfloat16, .float32, .float64: false
    case .boolean, .uint8, .uint16, .uint32, .uint64, .int8, .int16, .int32, .int64: true
    }
  }
}

extension ScalarType {
  /// The number that the byte `code` stands for in an 8-bit float with `mantissaBits`.
  ///
  /// E4M3 has no infinities, and is NaN where all bits but the sign are set; E5M2 is as IEEE
  /// formats are (Micikevicius et al. 2022, arXiv:2209.05433).
  static func float8(_ code: UInt8, mantissaBits: Int) -> Float {
    let exponentBits = 7 - mantissaBits
    let bias = (1 << (exponentBits - 1)) - 1
    let exponent = Int(code & 0x7F) >> mantissaBits
    let mantissa = Int(code) & ((1 << mantissaBits) - 1)
    let sign: Float = code & 0x80 == 0 ? 1 : -1
    if mantissaBits == 3, code & 0x7F == 0x7F { return .nan }
    if mantissaBits == 2, exponent == 31 { return mantissa == 0 ? sign * .infinity : .nan }
    let fraction = Float(exponent == 0 ? mantissa : mantissa + (1 << mantissaBits))
    return Float(
      sign: sign < 0 ? .minus : .plus,
      exponent: max(exponent, 1) - bias - mantissaBits, significand: fraction)
  }
}
