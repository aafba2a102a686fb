/// The counter-based generator Philox4x32-10: this project's own source of random numbers.
///
/// From Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3". The seed is the key, and
/// a counter of 128 bits holds the stream in its upper half and the number of the block in its
/// lower half; a block is four words of 32 bits. Each fill, and each ``next()``, starts a new
/// block. Results are the same bits on every machine, normals too.
public struct PhiloxRandomSource: RandomSource {
  /// Four words: a counter, or a block of random bits.
  package typealias Block = (UInt32, UInt32, UInt32, UInt32)

  private let seed: UInt64
  private let streamNumber: UInt64
  private var position: UInt64 = 0

  /// The source of a seed.
  public init(seed: UInt64) {
    self.init(seed: seed, streamNumber: 0)
  }

  private init(seed: UInt64, streamNumber: UInt64) {
    self.seed = seed
    self.streamNumber = streamNumber
  }

  /// A source of its own for what `key` stands for, with the same seed.
  public func stream(_ key: UInt64) -> PhiloxRandomSource {
    PhiloxRandomSource(seed: seed, streamNumber: mixed(mixed(streamNumber) ^ key))
  }

  /// The next 64 random bits: the first two words of the next block, the first one lowest.
  public mutating func next() -> UInt64 {
    let block = nextBlock()
    return UInt64(block.0) | UInt64(block.1) << 32
  }

  /// Fills `values` with multiples of 2⁻²⁴ in 0..<1: a word a number, its upper bits.
  public mutating func fillUniforms(_ values: inout MutableSpan<Float>) {
    var index = 0
    while index < values.count {
      let block = nextBlock()
      values[index] = Self.uniform(block.0)
      if index + 1 < values.count { values[index + 1] = Self.uniform(block.1) }
      if index + 2 < values.count { values[index + 2] = Self.uniform(block.2) }
      if index + 3 < values.count { values[index + 3] = Self.uniform(block.3) }
      index += 4
    }
  }

  /// Fills `values` with normals: each pair of words makes two, after Box and Muller 1958.
  ///
  /// r = √(−2 ln((w₀ + 1)/2³²)), φ = 2π·w₁/2³²: r·cos φ, r·sin φ, in float64 and then rounded. The
  /// largest magnitude that can occur is 6.66.
  public mutating func fillNormals(_ values: inout MutableSpan<Float>) {
    var index = 0
    while index < values.count {
      let block = nextBlock()
      let (first, second) = Self.normals(block.0, block.1)
      let (third, fourth) = Self.normals(block.2, block.3)
      values[index] = first
      if index + 1 < values.count { values[index + 1] = second }
      if index + 2 < values.count { values[index + 2] = third }
      if index + 3 < values.count { values[index + 3] = fourth }
      index += 4
    }
  }

  private static func uniform(_ word: UInt32) -> Float {
    Float(word >> 8) * 0x1p-24
  }

  private static func normals(_ first: UInt32, _ second: UInt32) -> (Float, Float) {
    let uniform = (Double(first) + 1) * 0x1p-32
    let radius = (-2 * ElementaryFunctions.logarithm(uniform)).squareRoot()
    let point = ElementaryFunctions.circle(turns: Double(second) * 0x1p-32)
    return (Float(radius * point.cosine), Float(radius * point.sine))
  }

  private mutating func nextBlock() -> Block {
    defer { position &+= 1 }
    return Self.block(
      counter: (
        UInt32(truncatingIfNeeded: position), UInt32(truncatingIfNeeded: position >> 32),
        UInt32(truncatingIfNeeded: streamNumber), UInt32(truncatingIfNeeded: streamNumber >> 32)
      ),
      key: (UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32)))
  }

  /// Ten rounds of Philox4x32.
  package static func block(counter: Block, key: (UInt32, UInt32)) -> Block {
    var (c, k) = (counter, key)
    for _ in 0..<10 {
      let first = c.0.multipliedFullWidth(by: 0xD251_1F53)
      let second = c.2.multipliedFullWidth(by: 0xCD9E_8D57)
      c = (second.high ^ c.1 ^ k.0, second.low, first.high ^ c.3 ^ k.1, first.low)
      k = (k.0 &+ 0x9E37_79B9, k.1 &+ 0xBB67_AE85)
    }
    return c
  }
}
