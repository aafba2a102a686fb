import Glibc
public import Tensors

/// Numbers that look random and are the same in each run, about −1…1.
public func sampleScalars(_ count: Int, seed: UInt64 = 1) -> [Float] {
  var source = SeededRandomSource(state: seed &* 0x9E37_79B9_7F4A_7C15 &+ 1)
  return (0..<count).map { _ in
    Float(Int32(truncatingIfNeeded: source.next() >> 32)) / Float(Int32.max)
  }
}

/// A tensor of such numbers.
public func sampleTensor(_ shape: Shape, seed: UInt64 = 1) -> Tensor {
  Tensor(sampleScalars(shape.scalarCount, seed: seed), shape: shape)
}

/// The largest absolute difference, as a fraction of the largest absolute value expected.
///
/// Infinite if the counts differ or a number isn't finite.
public func relativeError(_ found: [Float], _ expected: [Float]) -> Float {
  guard found.count == expected.count else { return .infinity }
  var difference: Float = 0
  var scale: Float = .leastNormalMagnitude
  for (found, expected) in zip(found, expected) {
    guard found.isFinite else { return .infinity }
    difference = max(difference, abs(found - expected))
    scale = max(scale, abs(expected))
  }
  return difference / scale
}

/// The largest relative difference between tensors; infinite if the shapes differ.
public func relativeError(_ found: Tensor, _ expected: Tensor) -> Float {
  found.shape == expected.shape ? relativeError(found.scalars, expected.scalars) : .infinity
}

extension Safetensors {
  /// A tensor that is stored channels first, as ours are: channels last.
  public func input(_ name: String) throws -> Tensor {
    try tensor(named: name).channelsLast()
  }
}

/// eˣ, so that tests needn't import a mathematics library.
public func exponential(_ x: Double) -> Double {
  Glibc.exp(x)
}
