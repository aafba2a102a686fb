import Models
import Pipelines
import Tensors

/// A change of a latent that a client asks for: what the page's controls say.
///
/// The parts apply in this order: noise of the posterior, a way towards another latent, factors and
/// offsets of channels, moves along directions, and numbers that are added (a brush).
struct LatentEdit: Sendable {
  /// What noise of the posterior is multiplied with, and its seed; 0 for the mean.
  var noise = (temperature: 0.0, seed: UInt64(0))
  /// Towards which latent, how far (0…1), and on which way.
  var target: (latent: OpenLatent, place: Double, way: LatentInterpolation)?
  /// What each channel is multiplied with; nil to leave them.
  var factors: [Double]?
  /// What is added to each channel, in standard deviations of the direction; nil for nothing.
  var offsets: [Double]?
  /// Principal components by number, and how far to go, in standard deviations.
  var moves: [(component: Int, amount: Double)] = []
  /// Numbers that are added, `C × h × w`; empty for none.
  var brush: [Float] = []

  /// The parameters that ``init(_:of:in:brush:)`` reads.
  static let parameters: Set<String> = [
    "noise", "seed", "with", "t", "way", "scale", "shift", "move",
  ]

  /// An edit from a request's parameters.
  ///
  /// - Throws: ``Problem``.
  init(
    _ query: Query, of latent: OpenLatent, in store: LatentStore, brush bytes: [UInt8]
  ) throws(Problem) {
    let shape = latent.posterior.mean.shape
    noise.temperature = try query.number("noise", in: 0...10) ?? 0
    noise.seed = try query.integer("seed", in: 0...UInt64.max) ?? 0
    if noise.temperature > 0, latent.posterior.logVariance == nil {
      throw .badRequest("this latent has no variance to sample from; leave noise out")
    }
    if let identifier = query["with"] {
      let other = try store.latent(identifier)
      guard other.codec.model.sha256 == latent.codec.model.sha256,
        other.posterior.mean.shape == shape
      else {
        throw .badRequest(
          "the other latent is of another model or size (\(other.posterior.mean.shape) and \(shape))"
        )
      }
      let place = try query.number("t", in: 0...1) ?? 0.5
      target = (other, place, try query.choice("way", of: LatentInterpolation.self) ?? .slerp)
    }
    factors = try query.numbers("scale", count: shape[3], in: -100...100)
    offsets = try query.numbers("shift", count: shape[3], in: -100...100)
    moves = try Self.moves(query["move"], channelCount: shape[3])
    brush = try Self.floats(bytes, count: shape.scalarCount)
  }

  private static func moves(
    _ text: String?, channelCount: Int
  ) throws(Problem) -> [(component: Int, amount: Double)] {
    var moves: [(component: Int, amount: Double)] = []
    for part in (text ?? "").split(separator: ",") {
      let pair = part.split(separator: ":", maxSplits: 1)
      guard pair.count == 2, let component = Int(pair[0]), let amount = Double(pair[1]),
        (1...channelCount).contains(component), (-100...100).contains(amount)
      else {
        throw .badParameter(
          "move", String(part),
          "component:amount, such as 1:2.5, with components from 1 to "
            + "\(channelCount)")
      }
      moves.append((component, amount))
    }
    return moves
  }

  /// Little-endian float32 numbers.
  private static func floats(_ bytes: [UInt8], count: Int) throws(Problem) -> [Float] {
    guard !bytes.isEmpty else { return [] }
    guard bytes.count == count * 4 else {
      throw .badRequest("\(count * 4) bytes of float32 are expected, and \(bytes.count) were sent")
    }
    var floats: [Float] = []
    floats.reserveCapacity(count)
    for start in stride(from: 0, to: bytes.count, by: 4) {
      var pattern: UInt32 = 0
      for index in (0..<4).reversed() { pattern = pattern << 8 | UInt32(bytes[start + index]) }
      floats.append(Float(bitPattern: pattern))
    }
    guard floats.allSatisfy({ $0.isFinite }) else {
      throw .badRequest("the numbers that are added have to be finite")
    }
    return floats
  }

  /// The changed latent, `[1, h, w, C]`.
  ///
  /// - Throws: `GenerationError`, and `CodecError` where sample pictures are encoded.
  func callAsFunction(_ latent: OpenLatent, models: ModelShelf) throws -> Tensor {
    var values = latent.posterior.mean
    if noise.temperature > 0 {
      var random = PhiloxRandomSource(seed: noise.seed)
      let epsilon = Tensor.randomNormal(shape: values.shape, using: &random)
      values = latent.posterior.sample(noise: epsilon * Float(noise.temperature))
    }
    if let target {
      let scaling = latent.codec.model.autoencoder.latentScaling
      values = scaling.toAutoencoder(
        target.way(
          scaling.toDiffusion(values), scaling.toDiffusion(target.latent.posterior.mean),
          at: target.place))
    }
    if let factors {
      values = values.affineChannels { (Float(factors[$0]), 0) }
    }
    if let offsets {
      let directions = try LatentDirection.channels(nil, of: latent.codec.model)
      values = values.affineChannels { channel in
        (1, Float(offsets[channel] * directions[channel].standardDeviation))
      }
    }
    if !moves.isEmpty {
      let covariance = try models.covariance(of: latent.codec)
      let directions = try LatentDirection.components(values.shape[3], of: covariance)
      for move in moves {
        values = directions[move.component - 1].moving(values, by: move.amount)
      }
    }
    guard !brush.isEmpty else { return values }
    let shape = values.shape
    return values
      + Tensor(brush, shape: [1, shape[3], shape[1], shape[2]]).channelsLast()
  }
}

/// What is known of a channel of a latent.
struct ChannelStatistics: Sendable {
  let mean, variance, least, greatest: Double

  /// Of each channel of `[1, h, w, C]`.
  static func of(_ latent: Tensor) -> [ChannelStatistics] {
    let count = latent.shape[3]
    let values = latent.span
    let places = latent.shape.scalarCount / count
    return (0..<count).map { channel in
      var (sum, least, greatest) = (0.0, Double.infinity, -Double.infinity)
      for place in 0..<places {
        let value = Double(values[place * count + channel])
        sum += value
        least = min(least, value)
        greatest = max(greatest, value)
      }
      let mean = sum / Double(places)
      var squares = 0.0
      for place in 0..<places {
        let difference = Double(values[place * count + channel]) - mean
        squares += difference * difference
      }
      return ChannelStatistics(
        mean: mean, variance: squares / Double(places), least: least, greatest: greatest)
    }
  }
}
