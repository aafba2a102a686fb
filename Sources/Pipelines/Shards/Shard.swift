import Tensors

/// One of N parts of the inputs.
///
/// An input belongs to the part that a hash of its relative path names, so that this depends neither
/// on the other inputs nor on their order: files that are added later move no others.
package struct Shard: Hashable, Sendable, CustomStringConvertible {
  /// Which part, from 0.
  package let index: Int
  /// How many parts there are.
  package let count: Int

  /// More parts than that are taken for a mistake.
  package static let maximumCount = 1_000_000

  /// Part `index` of `count`; nil unless 0 ≤ `index` < `count` ≤ ``maximumCount``.
  package init?(index: Int, count: Int) {
    guard (1...Self.maximumCount).contains(count), (0..<count).contains(index) else { return nil }
    self.index = index
    self.count = count
  }

  /// Part i of N from `i/N`; nil for anything else.
  package init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
    guard parts.count == 2, let index = parts[0], let count = parts[1] else { return nil }
    self.init(index: index, count: count)
  }

  package var description: String { "\(index)/\(count)" }

  /// Whether an input with this relative path belongs to this part.
  package func contains(_ relativePath: String) -> Bool {
    count == 1 || Self.index(of: relativePath, among: count) == index
  }

  /// The part that a path belongs to: the first eight bytes of its SHA-256, as a number with the
  /// highest byte first, modulo the number of parts.
  package static func index(of relativePath: String, among count: Int) -> Int {
    var hash = SHA256()
    hash.update(Array(relativePath.utf8))
    let number = hash.digest.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return Int(number % UInt64(count))
  }
}
