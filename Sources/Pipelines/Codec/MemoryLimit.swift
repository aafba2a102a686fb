import Tensors

/// How much memory this process may take.
public struct MemoryLimit: Sendable, Hashable {
  /// The most bytes of resident memory, weights and pictures included; nil where what the system
  /// has is the limit.
  public var byteCount: Int?

  /// A limit, or none but the system's.
  public init(byteCount: Int? = nil) {
    self.byteCount = byteCount
  }

  /// How many bytes can still be taken; `Int.max` if nothing is known.
  var availableByteCount: Int {
    guard let byteCount else { return SystemMemory.availableByteCount ?? .max }
    TensorMemory.trim()
    return max(0, byteCount - (SystemMemory.residentByteCount ?? 0))
  }
}
