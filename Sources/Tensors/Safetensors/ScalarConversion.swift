import CKernels

extension ByteSource {
  /// The tensor whose scalars are stored as `type` in row-major order from `offset` on.
  ///
  /// - Precondition: the caller has checked that the shape's scalars fit in the source.
  package func tensor(
    of type: ScalarType, shape: Shape, at offset: Int
  ) throws(ByteSourceError) -> Tensor {
    var failure: ByteSourceError?
    let tensor = unsafe Tensor(shape: shape) { floats in
      do throws(ByteSourceError) {
        try unsafe read(type, at: offset, into: floats)
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return tensor
  }

  private func read(
    _ type: ScalarType, at offset: Int, into floats: UnsafeMutableBufferPointer<Float>
  ) throws(ByteSourceError) {
    if type == .float32 {
      try unsafe read(at: offset, into: UnsafeMutableRawBufferPointer(floats))
      return
    }
    // Pieces that stay in the processor's cache between being read and being converted.
    let piece = 1 << 16
    let scratch = UnsafeMutableRawBufferPointer.allocate(
      byteCount: min(piece, floats.count) * type.byteCount, alignment: 64)
    defer { unsafe scratch.deallocate() }
    var done = 0
    while done < floats.count {
      let count = min(piece, floats.count - done)
      let bytes = unsafe UnsafeMutableRawBufferPointer(
        rebasing: scratch[..<(count * type.byteCount)])
      try unsafe read(at: offset + done * type.byteCount, into: bytes)
      unsafe type.widen(
        UnsafeRawBufferPointer(bytes),
        to: UnsafeMutableBufferPointer(rebasing: floats[done..<done + count]))
      done += count
    }
  }
}

extension ScalarType {
  /// Converts scalars of this type, little-endian, to float32; rounds to nearest where needed.
  func widen(_ bytes: UnsafeRawBufferPointer, to floats: UnsafeMutableBufferPointer<Float>) {
    guard let source = bytes.baseAddress, let target = floats.baseAddress else {
      return
    }
    switch self {
    case .float16: unsafe lvae_half_widen(source, target, floats.count)
    case .bfloat16: unsafe lvae_bfloat16_widen(source, target, floats.count)
    case .float32:
      unsafe target.update(from: source.assumingMemoryBound(to: Float.self), count: floats.count)
    case .float64:
      unsafe convert(source, to: floats) { (value: UInt64) in Float(Double(bitPattern: value)) }
    case .boolean: unsafe convert(source, to: floats) { (value: UInt8) in value == 0 ? 0 : 1 }
    case .uint8: unsafe convert(source, to: floats) { (value: UInt8) in Float(value) }
    case .uint16: unsafe convert(source, to: floats) { (value: UInt16) in Float(value) }
    case .uint32: unsafe convert(source, to: floats) { (value: UInt32) in Float(value) }
    case .uint64: unsafe convert(source, to: floats) { (value: UInt64) in Float(value) }
    case .int8: unsafe convert(source, to: floats) { (value: Int8) in Float(value) }
    case .int16: unsafe convert(source, to: floats) { (value: Int16) in Float(value) }
    case .int32: unsafe convert(source, to: floats) { (value: Int32) in Float(value) }
    case .int64: unsafe convert(source, to: floats) { (value: Int64) in Float(value) }
    case .float8E4M3:
      unsafe convert(source, to: floats) { (value: UInt8) in Self.float8(value, mantissaBits: 3) }
    case .float8E5M2:
      unsafe convert(source, to: floats) { (value: UInt8) in Self.float8(value, mantissaBits: 2) }
    }
  }

  @inline(__always)
  private func convert<Stored: FixedWidthInteger>(
    _ source: UnsafeRawPointer, to floats: UnsafeMutableBufferPointer<Float>,
    _ float: (Stored) -> Float
  ) {
    for index in 0..<floats.count {
      let stored = unsafe source.loadUnaligned(
        fromByteOffset: index * MemoryLayout<Stored>.size, as: Stored.self)
      unsafe floats[index] = float(Stored(littleEndian: stored))
    }
  }

  /// The scalars of `bytes`, stored little-endian as this type, as integers.
  ///
  /// Nothing where the type isn't one of integers, or a value doesn't fit in `Int`.
  package func integers(_ bytes: [UInt8]) -> [Int]? {
    switch self {
    case .boolean, .uint8: Self.integers(bytes, stored: UInt8.self)
    case .uint16: Self.integers(bytes, stored: UInt16.self)
    case .uint32: Self.integers(bytes, stored: UInt32.self)
    case .uint64: Self.integers(bytes, stored: UInt64.self)
    case .int8: Self.integers(bytes, stored: Int8.self)
    case .int16: Self.integers(bytes, stored: Int16.self)
    case .int32: Self.integers(bytes, stored: Int32.self)
    case .int64: Self.integers(bytes, stored: Int64.self)
    case .float8E4M3, .float8E5M2, .float16, .bfloat16, .float32, .float64: nil
    }
  }

  private static func integers<Stored: FixedWidthInteger>(
    _ bytes: [UInt8], stored: Stored.Type
  ) -> [Int]? {
    var integers: [Int] = []
    integers.reserveCapacity(bytes.count / MemoryLayout<Stored>.size)
    for start in stride(from: 0, to: bytes.count, by: MemoryLayout<Stored>.size) {
      let value = unsafe bytes.withUnsafeBytes { raw in
        unsafe Stored(littleEndian: raw.loadUnaligned(fromByteOffset: start, as: Stored.self))
      }
      guard let integer = Int(exactly: value) else { return nil }
      integers.append(integer)
    }
    return integers
  }
}

extension Tensor {
  /// The scalars as little-endian bytes of a floating-point type, rounded to nearest even.
  ///
  /// - Precondition: `type` is float32, float16 or bfloat16.
  package func bytes(as type: ScalarType) -> [UInt8] {
    let count = shape.scalarCount
    return unsafe [UInt8](unsafeUninitializedCapacity: count * type.byteCount) { buffer, done in
      guard let target = UnsafeMutableRawPointer(buffer.baseAddress) else { return }
      unsafe withUnsafePointer { source in
        switch type {
        case .float32: unsafe target.copyMemory(from: source, byteCount: count * 4)
        case .float16: unsafe lvae_half_narrow(source, target, count)
        case .bfloat16: unsafe lvae_bfloat16_narrow(source, target, count)
        default: preconditionFailure("tensors aren't written as \(type.rawValue)")
        }
      }
      done = count * type.byteCount
    }
  }
}
