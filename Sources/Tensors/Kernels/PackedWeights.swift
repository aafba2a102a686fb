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
/// of the convolution of a large picture. For a small one it would take most of the time.
final class PackedWeights: Sendable {
  private let kept = Mutex<[String: Storage]>([:])
  /// 4 MiB: all weights of an `AutoencoderTiny`, and those of an `AutoencoderKL` where pixels are
  /// many.
  private static let keptCount = 1 << 20
  /// 16 MiB: those of a denoiser of small latents.
  private static let keptCountOfSmallPictures = 1 << 22
  /// What pictures are small: the pixels of each in the result.
  private static let smallPixelCount = 32 * 32

  /// The weights for `algorithm`, made by `make` unless they are known.
  ///
  /// - Parameters:
  ///   - algorithm: its name.
  ///   - pixelCount: of each picture in the result.
  ///   - isCopy: whether they are no more than the weights in another order.
  ///   - make: makes them.
  /// - Returns: the packed weights.
  func value(
    for algorithm: String, pixelCount: Int, isCopy: Bool, make: () -> Storage
  ) -> Storage {
    if let known = kept.withLock({ $0[algorithm] }) { return known }
    let made = make()
    let isSmall = pixelCount <= Self.smallPixelCount
    let limit = isSmall ? (isCopy ? Int.max : Self.keptCountOfSmallPictures) : Self.keptCount
    if made.count <= limit { kept.withLock { $0[algorithm] = made } }
    return made
  }
}
