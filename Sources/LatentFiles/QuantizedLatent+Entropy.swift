import Foundation

extension QuantizedLatent {
  /// What the codes of an integer storage cost if each is coded by its frequency in its plane, with
  /// nothing but the frequencies known: the zeroth-order entropy, in bits of the whole latent.
  ///
  /// Σ over planes of −Σₖ nₖ log₂(nₖ / n), where code k stands nₖ times among the plane's n (Shannon
  /// 1948). A file is larger by its header and by what the coder wastes, and smaller where filters
  /// and matches find what neighbours have in common.
  ///
  /// - Returns: nil for floating-point storage, whose numbers hardly repeat in one picture.
  public var entropyBits: Double? {
    guard storage.isInteger else { return nil }
    return planes.reduce(0) { $0 + Self.entropyBits(of: $1.bytes) }
  }

  private static func entropyBits(of codes: [UInt8]) -> Double {
    var counts = [Int](repeating: 0, count: 256)
    for code in codes { counts[Int(code)] += 1 }
    let total = Double(codes.count)
    return counts.reduce(0) { sum, count in
      count == 0 ? sum : sum - Double(count) * log2(Double(count) / total)
    }
  }
}
