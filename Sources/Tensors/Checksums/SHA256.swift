import CKernels

/// A SHA-256 digest (FIPS 180-4) of bytes that arrive piece by piece.
public struct SHA256: Sendable {
  private var state: [UInt32] = [
    0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a,
    0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
  ]
  private var pending: [UInt8] = []
  private var byteCount: UInt64 = 0

  /// The digest of nothing so far.
  public init() {}

  /// Takes in more bytes.
  public mutating func update(_ bytes: [UInt8]) {
    update(bytes.span)
  }

  /// Takes in more bytes.
  public mutating func update(_ bytes: Span<UInt8>) {
    byteCount &+= UInt64(bytes.count)
    var start = 0
    if !pending.isEmpty {
      start = min(64 - pending.count, bytes.count)
      for index in 0..<start { pending.append(bytes[index]) }
      guard pending.count == 64 else { return }
      let block = pending
      pending.removeAll(keepingCapacity: true)
      compress(block.span)
    }
    let whole = (bytes.count - start) / 64 * 64
    compress(bytes.extracting(start..<start + whole))
    for index in start + whole..<bytes.count { pending.append(bytes[index]) }
  }

  /// Takes in more bytes: those of any numbers.
  public mutating func update(_ bytes: RawSpan) {
    update(Span<UInt8>(_bytes: bytes))
  }

  /// The digest of all bytes so far: 32 bytes.
  public var digest: [UInt8] {
    var padded = self
    let zeros = (119 - Int(byteCount % 64)) % 64
    padded.update([0x80] + [UInt8](repeating: 0, count: zeros))
    let bitCount = byteCount &* 8
    padded.update(
      stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: bitCount >> $0) })
    return padded.state.flatMap { word in
      stride(from: 24, through: 0, by: -8).map { UInt8(truncatingIfNeeded: word >> $0) }
    }
  }

  /// The digest of all bytes so far as 64 lowercase hexadecimal digits.
  public var hexadecimal: String {
    let digits = Array("0123456789abcdef")
    return String(digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
  }

  /// The digest of some bytes as 64 lowercase hexadecimal digits.
  public static func hexadecimal(of bytes: [UInt8]) -> String {
    var hash = SHA256()
    hash.update(bytes)
    return hash.hexadecimal
  }

  private mutating func compress(_ blocks: Span<UInt8>) {
    guard !blocks.isEmpty else { return }
    unsafe blocks.withUnsafeBufferPointer { bytes in
      unsafe lvae_sha256_blocks(&state, bytes.baseAddress, bytes.count / 64)
    }
  }
}
