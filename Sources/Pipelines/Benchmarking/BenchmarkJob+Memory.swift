import Images
import Models
import Tensors

extension BenchmarkJob {
  /// Computes the job as commands do, from or to a picture in 8 bits and in the memory that `codec` may
  /// take; once more to warm up, unless it is measured only once.
  ///
  /// - Throws: ``CodecError``.
  package func run(_ codec: LatentCodec, repeats: Int) throws -> Timing {
    let warmsUp = repeats > 1
    guard half == .encoder else {
      let latents = randomInput(for: codec.model.autoencoder).channelsLast()
      return try Timing(repeats: repeats, warmsUp: warmsUp) {
        _ = try codec.picture(of: latents, height: size, width: size, channels: .rgb)
      }
    }
    let samples = (0..<3 * size * size).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 24) }
    let image = Image(width: size, height: size, channels: .rgb, samples: .eightBit(samples))
    return try Timing(repeats: repeats, warmsUp: warmsUp) {
      _ = try codec.posterior(of: image)
    }
  }
}
