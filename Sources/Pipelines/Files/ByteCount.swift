/// An amount of memory or disk, as people write it: `2GiB`, `400MiB`, `1.5G`, `64k`, `1000000`.
///
/// `K`, `M`, `G` and `T` are powers of 1024, with or without `iB`; `kB`, `MB`, `GB` and `TB` are
/// powers of 1000. Case doesn't matter.
package struct ByteCount: Hashable, Comparable, Sendable {
  /// How many bytes.
  package var bytes: Int

  package init(bytes: Int) {
    self.bytes = bytes
  }

  /// Reads what a person wrote; nil if it is no amount, or too large.
  package init?(_ text: String) {
    let trimmed = text.trimmingPrefix { $0 == " " }
    let number = trimmed.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    let unit = trimmed.dropFirst(number.count).filter { $0 != " " }.lowercased()
    guard let value = Double(number), let factor = Self.factors[unit] else { return nil }
    // Above 2^53 a Double isn't exact, and no machine has it.
    guard value >= 0, value * factor <= 0x1p53 else { return nil }
    bytes = Int((value * factor).rounded())
  }

  package static func < (left: Self, right: Self) -> Bool { left.bytes < right.bytes }

  private static let factors: [String: Double] = [
    "": 1, "b": 1,
    "k": 0x1p10, "kib": 0x1p10, "kb": 1e3,
    "m": 0x1p20, "mib": 0x1p20, "mb": 1e6,
    "g": 0x1p30, "gib": 0x1p30, "gb": 1e9,
    "t": 0x1p40, "tib": 0x1p40, "tb": 1e12,
  ]
}

extension ByteCount: CustomStringConvertible {
  /// Three digits and a binary unit: `12 B`, `1.46 KiB`, `400 MiB`.
  package var description: String {
    var value = Double(bytes)
    var units = ["B", "KiB", "MiB", "GiB", "TiB"][...]
    while abs(value) >= 999.5, units.count > 1 {
      value /= 1024
      units.removeFirst()
    }
    let unit = units.first ?? "B"
    if unit == "B" { return "\(bytes) B" }
    let digits = abs(value) < 9.995 ? 2 : abs(value) < 99.95 ? 1 : 0
    var text = value.text(digits: digits)
    while digits > 0, text.hasSuffix("0") { text.removeLast() }
    if text.hasSuffix(".") { text.removeLast() }
    return "\(text) \(unit)"
  }
}
