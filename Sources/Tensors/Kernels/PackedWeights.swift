import Synchronization

/// Weights for the plans of one convolution's bands, which may differ in their algorithm.
struct BandWeights {
  private let weight: Tensor
  private var packed: [String: Storage] = [:]

  init(_ weight: Tensor) {
    self.weight = weight
  }

  /// The weights for a band's plan, packed once for each algorithm.
  mutating func packed(for plan: ConvolutionPlan) -> Storage {
    if let known = packed[plan.algorithm] { return known }
    let made = plan.packed(weight)
    packed[plan.algorithm] = made
    return made
  }
}

/// Weights in the forms that convolutions want them in, by algorithm; small ones are kept.
///
/// Large ones, of which there can be a gigabyte, are made anew each time: that takes a few percent
/// of the convolution.
final class PackedWeights: Sendable {
  private let kept = Mutex<[String: Storage]>([:])
  /// 4 MiB: all weights of an `AutoencoderTiny`, and those of an `AutoencoderKL` where pixels are
  /// many.
  private static let keptCount = 1 << 20

  /// The weights for `algorithm`, made by `make` unless they are known.
  func value(for algorithm: String, make: () -> Storage) -> Storage {
    if let known = kept.withLock({ $0[algorithm] }) { return known }
    let made = make()
    if made.count <= Self.keptCount { kept.withLock { $0[algorithm] = made } }
    return made
  }
}
