import Tensors

/// How evenly the codes of a book are used.
public struct CodeUsage: Hashable, Sendable {
  /// How many codes there are.
  public let codeCount: Int
  /// How many of them occur.
  public let usedCount: Int
  /// exp(−Σ p ln p) of the codes' frequencies p: as many codes, used evenly, would say as much.
  ///
  /// Between 1 and ``codeCount``; 0 for no codes.
  public let perplexity: Double

  /// The usage in some places.
  ///
  /// - Parameters:
  ///   - indices: which code stands where, counted from 0.
  ///   - codeCount: how many codes there are.
  public init(indices: [Int], codeCount: Int) {
    var counts: [Int: Int] = [:]
    for index in indices { counts[index, default: 0] += 1 }
    let entropy = counts.sorted { $0.key < $1.key }.reduce(0.0) { entropy, entry in
      let frequency = Double(entry.value) / Double(indices.count)
      return entropy - frequency * ElementaryFunctions.logarithm(frequency)
    }
    self.codeCount = codeCount
    usedCount = counts.count
    perplexity = indices.isEmpty ? 0 : exponential(entropy)
  }
}
