import Models
import Tensors
import TestSupport
import Testing

struct AutoencoderTinyRowsTests {
  /// Rows come in bands of 4 (a plan of no bytes), of 12 and more, and all at once.
  static let bandByteCounts = [0, 40_000, 1 << 24]
  /// Heights and widths in latents: a single one, and odd ones.
  static let sizes = [(1, 1), (2, 3), (5, 4), (13, 3)]

  @Test(arguments: bandByteCounts, sizes)
  func bandsGiveTheWholePicturesLatents(_ byteCount: Int, _ size: (Int, Int)) throws {
    for pools in [false, true] {
      try expectEqualStreams(small(pools: pools), StreamingPlan(bandByteCount: byteCount), size)
    }
  }

  @Test(
    .enabled(if: SharedFiles.exist, Comment(rawValue: SharedFiles.absence)),
    arguments: ["golden/taesd_tiny", "golden/taef1_tiny", "models/taesd/taef2"])
  func bandsAreExactWithTrainedWeights(_ path: String) throws {
    let model = try ImportedModel(contentsOf: SharedFiles.url(path)).autoencoder()
    for byteCount in Self.bandByteCounts {
      try expectEqualStreams(model, StreamingPlan(bandByteCount: byteCount), (7, 5))
    }
  }

  /// Full resolution is computed in strips of columns here: in two for encoding and three for
  /// decoding, with bands of 4 rows and of 6.
  @Test(arguments: [0, 6 * 1100 * 16 * 4], [(3, 395), (5, 400)])
  func stripsGiveTheWholePicturesLatents(_ byteCount: Int, _ size: (Int, Int)) throws {
    try expectEqualStreams(small(pools: false), StreamingPlan(bandByteCount: byteCount), size)
  }

  @Test func theNumberOfThreadsChangesNothing() throws {
    let model = small(pools: false)
    let latents = sampleTensor([1, 9, 6, 4])
    let results = try [1, 2, 5].map { count in
      try ThreadPool.$current.withValue(ThreadPool(threadCount: count)) {
        try decodeInRows(model, latents, StreamingPlan(bandByteCount: 40_000)).scalars
      }
    }
    #expect(results[0] == results[1] && results[0] == results[2])
  }

  @Test func planTakesTheWholePictureWhereItFits() throws {
    let model = small(pools: false)
    let plan = try model.plan(.decode, height: 64, width: 64, byteCount: 1 << 30)
    #expect(plan.isWhole)
  }

  @Test func aPlanNamesTheLeastMemory() throws {
    let model = small(pools: false)
    var least = 0
    do {
      _ = try model.plan(.decode, height: 8192, width: 8192, byteCount: 1 << 20)
    } catch {
      least = error.neededByteCount
    }
    #expect(least > 1 << 20)
    let plan = try model.plan(.decode, height: 8192, width: 8192, byteCount: least)
    #expect(!plan.isWhole && plan.peakByteCount == least)
  }

  /// Random weights, of a size that keeps numbers near 1.
  private func small(pools: Bool) -> AutoencoderTiny {
    var configuration = AutoencoderTiny.Configuration()
    configuration.encoderBlockOutChannels = [16, 16, 16, 16]
    configuration.decoderBlockOutChannels = [16, 16, 16, 16]
    configuration.useMidblockGN = pools
    return filled(AutoencoderTiny(configuration))
  }
}
