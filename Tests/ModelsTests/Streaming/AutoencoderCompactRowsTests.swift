import Models
import Tensors
import TestSupport
import Testing

struct AutoencoderCompactRowsTests {
  /// Heights and widths in latents: a single one, and odd ones.
  static let sizes = [(1, 1), (2, 3), (5, 4), (13, 3)]

  @Test(arguments: AutoencoderTinyRowsTests.bandByteCounts, sizes)
  func bandsGiveTheWholePicturesLatents(_ byteCount: Int, _ size: (Int, Int)) throws {
    for model in compactModels() {
      try expectEqualStreams(model, StreamingPlan(bandByteCount: byteCount), size)
    }
  }

  @Test func theNumberOfThreadsChangesNothing() throws {
    let model = compactModels()[0]
    let latents = sampleTensor([1, 9, 6, model.latentChannels])
    let results = try [1, 2, 5].map { count in
      try ThreadPool.$current.withValue(ThreadPool(threadCount: count)) {
        try decodeInRows(model, latents, StreamingPlan(bandByteCount: 40_000)).scalars
      }
    }
    #expect(results[0] == results[1] && results[0] == results[2])
  }

  @Test(arguments: [CodingDirection.encode, .decode])
  func aPlanNamesTheLeastMemory(_ direction: CodingDirection) throws {
    let model = compactModels()[0]
    #expect(try model.plan(direction, height: 64, width: 64, byteCount: 1 << 30).isWhole)
    var least = 0
    do {
      _ = try model.plan(direction, height: 8192, width: 8192, byteCount: 1 << 20)
    } catch {
      least = error.neededByteCount
    }
    #expect(least > 1 << 20)
    let plan = try model.plan(direction, height: 8192, width: 8192, byteCount: least)
    #expect(!plan.isWhole && plan.peakByteCount == least)
  }
}
