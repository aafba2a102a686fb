import CKernels
import Tensors
import Testing

struct ScalarConversionTests {
  private func widened(_ codes: [UInt8], as type: ScalarType) throws -> [Float] {
    let source = ByteSource(codes)
    return try source.tensor(of: type, shape: [codes.count / type.byteCount], at: 0).scalars
  }

  /// What a half with these bits stands for, by the definition of the format.
  private func half(_ bits: UInt16) -> Float {
    let (exponent, mantissa) = (Int(bits >> 10 & 31), Float(bits & 0x3FF))
    let magnitude: Float =
      exponent == 31
      ? (mantissa == 0 ? .infinity : .nan)
      : exponent == 0
        ? mantissa * 0x1p-24
        : Float(sign: .plus, exponent: exponent - 25, significand: mantissa + 1024)
    return bits & 0x8000 == 0 ? magnitude : -magnitude
  }

  @Test func everyHalfIsWidenedExactly() throws {
    let codes = (0...0xFFFF).flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
    let floats = try widened(codes, as: .float16)
    var portable = [Float](repeating: 0, count: 0x10000)
    unsafe codes.withUnsafeBytes { source in
      unsafe portable.withUnsafeMutableBytes { target in
        unsafe lvae_half_widen_portable(source.baseAddress, target.baseAddress, 0x10000)
      }
    }
    for (index, float) in floats.enumerated() {
      let expected = half(UInt16(index))
      #expect(float.bitPattern == portable[index].bitPattern, "half \(index)")
      #expect(float == expected || (float.isNaN && expected.isNaN), "half \(index)")
    }
  }

  @Test func narrowingToHalfRoundsAlikeInBothVariants() {
    // Each half, the points between it and the next, and their neighbours.
    var values: [Float] = [.infinity, -.infinity, 0x1p-26, 0x1p-140, .greatestFiniteMagnitude]
    for bits in UInt16(0)..<0x7C00 {
      let (low, high) = (half(bits), bits == 0x7BFF ? 65536 : half(bits + 1))
      let middle = (low + high) / 2
      values += [low, middle.nextDown, middle, middle.nextUp, -low, -middle]
      // Ties go to the even neighbour, so the middle keeps the lower half where its bit is even.
    }
    var (fast, portable) = ([UInt16](repeating: 0, count: values.count), [UInt16]())
    portable = fast
    unsafe values.withUnsafeBytes { source in
      unsafe fast.withUnsafeMutableBytes { target in
        unsafe lvae_half_narrow(source.baseAddress, target.baseAddress, values.count)
      }
      unsafe portable.withUnsafeMutableBytes { target in
        unsafe lvae_half_narrow_portable(source.baseAddress, target.baseAddress, values.count)
      }
    }
    #expect(fast == portable)
    for bits in UInt16(0)..<0x7C00 {
      let start = 5 + 6 * Int(bits)
      #expect(portable[start] == bits)
      #expect(portable[start + 1] == bits)
      #expect(portable[start + 2] == bits + (bits & 1))
      #expect(portable[start + 3] == bits + 1)
      #expect(portable[start + 4] == bits | 0x8000)
    }
  }

  @Test func eightBitFloatsFollowTheirDefinition() throws {
    let e4m3 = try widened([0x00, 0x01, 0x08, 0x38, 0x7E, 0x7F, 0xB8, 0xFE], as: .float8E4M3)
    #expect(e4m3.map { $0.isNaN ? -1 : $0 } == [0, 0x1p-9, 0x1p-6, 1, 448, -1, -1, -448])
    let e5m2 = try widened([0x00, 0x01, 0x04, 0x3C, 0x7B, 0x7C, 0xFC, 0xBC], as: .float8E5M2)
    #expect(e5m2 == [0, 0x1p-16, 0x1p-14, 1, 57344, .infinity, -.infinity, -1])
  }

  @Test func doublesAreRoundedAndReadAtAnyOffset() throws {
    let bytes: [UInt8] = [9] + withBytes(of: (0.1).bitPattern) + withBytes(of: (-3.0).bitPattern)
    let tensor = try ByteSource(bytes).tensor(of: .float64, shape: [2], at: 1)
    #expect(tensor.scalars == [0.1, -3])
  }

  @Test func readingBeyondTheEndThrows() {
    #expect(throws: ByteSourceError.self) {
      try ByteSource([1, 2, 3]).tensor(of: .float16, shape: [2], at: 0)
    }
    #expect(throws: ByteSourceError.self) { try ByteSource([1, 2, 3]).bytes(in: 2..<4) }
  }

  private func withBytes(of value: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
}
