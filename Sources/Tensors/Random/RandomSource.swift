/// Random numbers that a seed fixes.
///
/// A source is a value: a copy goes on with the same numbers. What is filled in one call may
/// depend on how many numbers the call asks for, so code that must give the same result asks for
/// the same amounts in the same order.
public protocol RandomSource: RandomNumberGenerator, Sendable {
  /// Fills `values` with independent numbers from the uniform distribution on 0..<1.
  mutating func fillUniforms(_ values: inout MutableSpan<Float>)

  /// Fills `values` with independent numbers from the standard normal distribution.
  mutating func fillNormals(_ values: inout MutableSpan<Float>)

  /// A source of its own for what `key` stands for: an image's index, a step's number.
  ///
  /// It depends on this source's seed and stream and on `key`, and not on what has been drawn.
  func stream(_ key: UInt64) -> Self
}

extension RandomSource {
  /// This many numbers from the uniform distribution on 0..<1.
  public mutating func uniforms(count: Int) -> [Float] {
    var values = [Float](repeating: 0, count: count)
    var span = values.mutableSpan
    fillUniforms(&span)
    return values
  }

  /// This many numbers from the standard normal distribution.
  public mutating func normals(count: Int) -> [Float] {
    var values = [Float](repeating: 0, count: count)
    var span = values.mutableSpan
    fillNormals(&span)
    return values
  }
}

extension Tensor {
  /// A tensor of independent numbers from the standard normal distribution.
  public static func randomNormal(
    shape: Shape, using source: inout some RandomSource
  ) -> Tensor {
    Tensor(source.normals(count: shape.scalarCount), shape: shape)
  }

  /// A tensor of independent numbers from the uniform distribution on 0..<1.
  public static func randomUniform(
    shape: Shape, using source: inout some RandomSource
  ) -> Tensor {
    Tensor(source.uniforms(count: shape.scalarCount), shape: shape)
  }
}

/// SplitMix64's mixing function: a bijection that spreads each bit over all.
///
/// From Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators".
func mixed(_ value: UInt64) -> UInt64 {
  var z = value &+ 0x9E37_79B9_7F4A_7C15
  z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
  z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
  return z ^ z >> 31
}
