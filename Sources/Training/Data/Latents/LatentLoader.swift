import Glibc
import Models
public import Tensors

/// Latents to train with, and their classes.
public struct LatentBatch: Sendable {
  /// `[N, H, W, C]`, in the diffusion model's space.
  public let latents: Tensor
  /// N of them; nil without classes.
  public let labels: [Int]?

  /// A batch.
  public init(latents: Tensor, labels: [Int]?) {
    self.latents = latents
    self.labels = labels
  }
}

/// Makes the batches of a denoiser's run, as ``BatchLoader`` does those of an autoencoder's.
public struct LatentLoader: Sendable {
  private let set: LatentSet
  private let indices: [Int]
  private let batchSize: Int
  private let draws: Bool
  private let scaling: LatentScaling
  private let random: PhiloxRandomSource
  private let order: EpochOrder
  private let classes: ClassBalance?

  private enum Stream {
    static let order: UInt64 = 1
    static let noise: UInt64 = 2
    static let classes: UInt64 = 3
  }

  /// A loader of some latents of a data set.
  ///
  /// - Parameters:
  ///   - set: The latents.
  ///   - indices: Which of them.
  ///   - batchSize: How many make a batch.
  ///   - draws: Whether a latent is drawn from its distribution, anew each time, where that is
  ///     stored; else its mean is taken.
  ///   - balance: 0 shows each latent once an epoch; 1 shows each class equally often; between them,
  ///     classes come in proportion to their count to the power of 1 − `balance`.
  ///   - seed: Fixes the order and the draws.
  /// - Precondition: there are indices, and `balance` is in 0…1.
  public init(
    _ set: LatentSet, indices: [Int], batchSize: Int, draws: Bool, balance: Double, seed: UInt64
  ) {
    precondition(!indices.isEmpty && batchSize >= 1, "\(batchSize) of \(indices.count) latents")
    self.set = set
    self.indices = indices
    self.batchSize = batchSize
    self.draws = draws
    scaling = set.scaling
    random = PhiloxRandomSource(seed: seed)
    order = EpochOrder(count: indices.count, random: random.stream(Stream.order))
    classes = set.labels.flatMap { labels in
      balance > 0 ? ClassBalance(labels: indices.map { labels[$0] }, balance: balance) : nil
    }
  }

  /// The batch of a step, counted from 0.
  ///
  /// - Throws: ``TrainingDataError/unreadable(name:reason:)``.
  public func batch(_ step: Int) throws(TrainingDataError) -> LatentBatch {
    var places: [Int] = []
    for item in step * batchSize..<(step + 1) * batchSize {
      let (epoch, place) = item.quotientAndRemainder(dividingBy: indices.count)
      if let classes {
        var random = random.stream(Stream.classes).stream(UInt64(item))
        places.append(classes.item(using: &random))
      } else {
        places.append(order.item(ofEpoch: epoch, at: place))
      }
    }
    return try latents(places, number: step)
  }

  /// The first latents in their order, always alike: what a run is validated with.
  ///
  /// - Parameter range: Which, as places among the loader's.
  /// - Returns: The latents, not drawn.
  /// - Throws: ``TrainingDataError/unreadable(name:reason:)``.
  public func latents(_ range: Range<Int>) throws(TrainingDataError) -> LatentBatch {
    try latents(Array(range), number: nil)
  }

  private func latents(_ places: [Int], number: Int?) throws(TrainingDataError) -> LatentBatch {
    var tensors: [Tensor] = []
    for (position, place) in places.enumerated() {
      let posterior = try set.latent(at: indices[place])
      guard draws, let number, posterior.logVariance != nil else {
        tensors.append(posterior.mode)
        continue
      }
      var noise = random.stream(Stream.noise).stream(UInt64(number * batchSize + position))
      tensors.append(
        posterior.sample(noise: .randomNormal(shape: posterior.mean.shape, using: &noise)))
    }
    return LatentBatch(
      latents: scaling.toDiffusion(.concatenatedImages(tensors)),
      labels: set.labels.map { labels in places.map { labels[indices[$0]] } })
  }
}

/// Draws items so that small classes come more often than they are large.
private struct ClassBalance: Sendable {
  /// The items of each class.
  private let items: [[Int]]
  /// Up to each class, the part of all draws.
  private let limits: [Double]

  init(labels: [Int], balance: Double) {
    let items = Dictionary(grouping: labels.indices, by: { labels[$0] })
      .sorted { $0.key < $1.key }.map(\.value)
    let weights = items.map { pow(Double($0.count), 1 - balance) }
    let total = weights.reduce(0, +)
    var sum = 0.0
    limits = weights.map {
      sum += $0
      return sum / total
    }
    self.items = items
  }

  func item(using random: inout PhiloxRandomSource) -> Int {
    let draw = random.next().unitInterval
    let place = limits.firstIndex { draw < $0 } ?? items.count - 1
    return items[place][random.next().scaled(below: items[place].count)]
  }
}
