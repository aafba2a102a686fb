/// The random numbers of PyTorch's CPU generator: `torch.manual_seed(seed)`, then `torch.randn`.
///
/// The generator is the Mersenne Twister MT19937 (Matsumoto and Nishimura 1998). Uniform numbers
/// agree bit for bit; normals to about 1e-6, since PyTorch's own differ from one processor to the
/// next in the last places. One fill is one call of `torch.randn`: its numbers depend on how many
/// are asked for.
public struct TorchRandomSource: RandomSource {
  private let seed: UInt64
  private var twister: MersenneTwister
  private var spareNormal: Double?

  /// The source after `torch.manual_seed(seed)`, which looks at the seed's lower 32 bits.
  public init(seed: UInt64) {
    self.seed = seed
    twister = MersenneTwister(seed: UInt32(truncatingIfNeeded: seed))
  }

  /// A source of its own for what `key` stands for; PyTorch knows nothing like it.
  public func stream(_ key: UInt64) -> TorchRandomSource {
    TorchRandomSource(seed: mixed(mixed(seed) ^ key))
  }

  /// The next 64 random bits, the first word highest.
  public mutating func next() -> UInt64 {
    let high = twister.next()
    return UInt64(high) << 32 | UInt64(twister.next())
  }

  /// Fills `values` as `torch.rand` does, with multiples of 2⁻²⁴ in 0..<1.
  public mutating func fillUniforms(_ values: inout MutableSpan<Float>) {
    for index in values.indices { values[index] = nextFloat() }
  }

  /// Fills `values` as `torch.randn` does.
  ///
  /// Fewer than 16 numbers are made one after the other in float64; more are made 16 at a time
  /// from uniform float32 numbers, and a rest that isn't 16 replaces the last 16 by new ones.
  public mutating func fillNormals(_ values: inout MutableSpan<Float>) {
    guard values.count >= 16 else {
      for index in values.indices { values[index] = Float(nextNormal()) }
      return
    }
    for index in values.indices { values[index] = nextFloat() }
    for start in stride(from: 0, through: values.count - 16, by: 16) {
      Self.makeNormals(&values, from: start)
    }
    if values.count % 16 != 0 {
      let start = values.count - 16
      for index in start..<values.count { values[index] = nextFloat() }
      Self.makeNormals(&values, from: start)
    }
  }

  /// Makes 16 uniform numbers normal: pairs are 8 apart, and float32 is kept where PyTorch has it.
  private static func makeNormals(_ values: inout MutableSpan<Float>, from start: Int) {
    for index in start..<start + 8 {
      let logarithm = Float(ElementaryFunctions.logarithm(Double(1 - values[index])))
      let radius = (-2 * logarithm).squareRoot()
      let angle = 6.2831855 * values[index + 8]
      let point = ElementaryFunctions.circle(radians: Double(angle))
      values[index] = radius * Float(point.cosine)
      values[index + 8] = radius * Float(point.sine)
    }
  }

  private mutating func nextFloat() -> Float {
    Float(twister.next() & 0xFF_FFFF) * 0x1p-24
  }

  private mutating func nextDouble() -> Double {
    Double(next() & 0x1F_FFFF_FFFF_FFFF) * 0x1p-53
  }

  private mutating func nextNormal() -> Double {
    if let spare = spareNormal {
      spareNormal = nil
      return spare
    }
    let turns = nextDouble()
    let radius = (-2 * ElementaryFunctions.logarithm(1 - nextDouble())).squareRoot()
    let point = ElementaryFunctions.circle(turns: turns)
    spareNormal = radius * point.sine
    return radius * point.cosine
  }
}

/// MT19937, with the seeding of its authors' `init_genrand`.
private struct MersenneTwister: Sendable {
  private var state: [UInt32]
  private var position: Int

  init(seed: UInt32) {
    state = [seed]
    state.reserveCapacity(624)
    for index in 1..<624 {
      let last = state[index - 1]
      state.append(1_812_433_253 &* (last ^ last >> 30) &+ UInt32(index))
    }
    position = 624
  }

  mutating func next() -> UInt32 {
    if position == 624 { twist() }
    var word = state[position]
    position += 1
    word ^= word >> 11
    word ^= word << 7 & 0x9D2C_5680
    word ^= word << 15 & 0xEFC6_0000
    return word ^ word >> 18
  }

  private mutating func twist() {
    for index in 0..<624 {
      let word = state[index] & 0x8000_0000 | state[(index + 1) % 624] & 0x7FFF_FFFF
      state[index] =
        state[(index + 397) % 624] ^ word >> 1 ^ (word & 1 == 0 ? 0 : 0x9908_B0DF)
    }
    position = 0
  }
}
