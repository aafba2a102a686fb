package import Models
import Tensors

/// What attention adds to the work on a large picture: it compares each place of the latent with
/// each other, so that its cost grows with the square of the pixels.
package struct AttentionEstimate: Sendable, CustomStringConvertible {
  /// Places of the latent.
  package let placeCount: Int
  /// Floating-point operations in all, and those of attention.
  package let operationCount, attentionOperationCount: Int
  /// About which part of the time attention takes, 0…1.
  package let timeShare: Double
  /// About how long it takes on the current pool's threads.
  package let attentionTime: Duration

  /// Assumed, from what machines with AVX-512 reached: of the processor's peak, matrix products of
  /// attention take this much, and convolutions, which save multiplications, seem to take that much.
  private static let attentionEfficiency = 0.75
  private static let convolutionEfficiency = 1.6

  /// The estimate for an autoencoder; nil where attention takes less than half of the time.
  package init?(
    _ direction: CodingDirection, height: Int, width: Int, with autoencoder: any Autoencoder
  ) {
    let half: AutoencoderHalves = direction == .encode ? .encoder : .decoder
    operationCount = autoencoder.operationCount(of: half, height: height, width: width)
    attentionOperationCount = autoencoder.attentionOperationCount(
      of: half, height: height, width: width)
    placeCount = height / autoencoder.spatialFactor * (width / autoencoder.spatialFactor)
    let attention = Double(attentionOperationCount) / Self.attentionEfficiency
    let rest = Double(operationCount - attentionOperationCount) / Self.convolutionEfficiency
    guard attention > rest else { return nil }
    timeShare = attention / (attention + rest)
    // Some milliseconds, beside minutes of work.
    var operations = 0.0
    let timing = Timing(repeats: 3) {
      operations = InstructionSet.current.runArithmetic(rounds: 200_000)
    }
    attentionTime = .milliseconds(1) * (attention / (operations / timing.minimum))
  }

  /// A sentence for who waits.
  package var description: String {
    let total = (Double(operationCount) / 1e12).text(digits: 1)
    let part = (Double(attentionOperationCount) / 1e12).text(digits: 1)
    return "attention between all \(placeCount) places of the latent is \(part) of \(total) TFLOP, "
      + "about \((timeShare * 100).text(digits: 0)) % of the time, \(attentionTime.summaryText); "
      + "it is computed exactly; a picture with half the pixels takes a quarter of it, and attention "
      + "in windows much less"
  }
}

extension LatentCodec {
  /// The estimate for a picture; nil where attention doesn't dominate, or sees windows only.
  package func attentionEstimate(
    _ direction: CodingDirection, height: Int, width: Int
  ) -> AttentionEstimate? {
    guard model.attentionWindow == nil else { return nil }
    let factor = model.autoencoder.spatialFactor
    return AttentionEstimate(
      direction, height: (height + factor - 1) / factor * factor,
      width: (width + factor - 1) / factor * factor, with: model.autoencoder)
  }
}
