import Foundation
import Layers
import Models
import Tensors
import TestSupport
import Testing

struct AutoencoderKLRowsTests {
  /// Bands of 4 rows and of many, with maps on the disk, in part on the disk, and in memory.
  static let plans = [
    StreamingPlan(bandByteCount: 0),
    StreamingPlan(bandByteCount: 30_000, keptByteCount: 50_000),
    StreamingPlan(bandByteCount: 1 << 24, keptByteCount: 1 << 30),
  ]

  @Test(arguments: plans, [(1, 1), (3, 2), (5, 7)])
  func bandsGiveTheWholePicturesLatents(_ plan: StreamingPlan, _ size: (Int, Int)) throws {
    try expectEqualStreams(small(), plan, size)
    try expectEqualStreams(small(upsampling: .convTranspose), plan, size)
  }

  @Test(
    .enabled(if: SharedFiles.exist, Comment(rawValue: SharedFiles.absence)),
    arguments: ["kl_tiny", "kl_tiny3", "kl_sd3_tiny", "kl_noattn_tiny"])
  func bandsAreExactWithTrainedWeights(_ name: String) throws {
    let model = try ImportedModel(contentsOf: SharedFiles.url("golden/\(name)")).autoencoder()
    for plan in Self.plans { try expectEqualStreams(model, plan, (9, 6)) }
  }

  @Test(arguments: plans)
  func attentionInWindowsIsTheSameInBands(_ plan: StreamingPlan) throws {
    var model = small()
    model.attentionWindow = 4
    #expect(model.attentionWindow == 4)
    try expectEqualStreams(model, plan, (9, 6))
    // It is another result than the exact one, unless all maps with attention are as small as a window.
    let exact = small()
    for (size, isExact) in [([1, 9, 6, 4] as Shape, false), ([1, 2, 2, 4], true)] {
      let latents = sampleTensor(size)
      #expect((model.decode(latents).scalars == exact.decode(latents).scalars) == isExact)
    }
  }

  @Test func attentionOutsideOfTheMiddleHasTheWindowToo() {
    var configuration = AutoencoderKL.Configuration()
    configuration.blockOutChannels = [8]
    configuration.downBlockTypes = ["AttnDownEncoderBlock2D"]
    configuration.upBlockTypes = ["UpDecoderBlock2D"]
    configuration.normNumGroups = 4
    configuration.midBlockAddAttention = false
    var model = AutoencoderKL(configuration)
    model.attentionWindow = 4
    #expect(model.attentionWindow == 4)
    configuration.downBlockTypes = ["DownEncoderBlock2D"]
    model = AutoencoderKL(configuration)
    model.attentionWindow = 4
    #expect(model.attentionWindow == nil)
  }

  @Test func theNumberOfThreadsChangesNothing() throws {
    let model = small()
    let latents = sampleTensor([1, 9, 6, 4])
    let results = try [1, 2, 5].map { count in
      try ThreadPool.$current.withValue(ThreadPool(threadCount: count)) {
        try decodeInRows(model, latents, StreamingPlan(bandByteCount: 40_000)).scalars
      }
    }
    #expect(results[0] == results[1] && results[0] == results[2])
  }

  /// Bands of 4 rows, and of 6, which aren't all whole tiles: widths at which the large tiles are
  /// taken, and odd ones.
  @Test(arguments: [0, 6 * 528 * 16 * 4], [(10, 132), (3, 129)])
  func wideBandsGiveTheWholePicturesLatents(_ byteCount: Int, _ size: (Int, Int)) throws {
    try expectEqualStreams(small(), StreamingPlan(bandByteCount: byteCount), size)
  }

  @Test func aFullDiskIsNamedAndNothingIsLeftOnIt() throws {
    let folder = try TemporaryFolder()
    guard let disk = try SmallDisk(at: folder("disk"), options: "size=64k") else { return }
    defer { disk.remove() }
    var plan = StreamingPlan(bandByteCount: 0)
    plan.spillFolder = folder("disk")
    let model = small()
    #expect {
      try decodeInRows(model, sampleTensor([1, 16, 16, 4]), plan)
    } throws: { error in
      guard let error = error as? SpillError else { return false }
      return error.code == ENOSPC && "\(error)".contains("No space left on device; free space")
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder("disk")).isEmpty)
    var status = statvfs()
    #expect(unsafe statvfs(folder("disk"), &status) == 0 && status.f_bfree == status.f_blocks)
  }

  @Test func aFolderWithoutRoomIsNamed() throws {
    var plan = StreamingPlan(bandByteCount: 0)
    plan.spillFolder = "/proc"
    let model = small()
    #expect {
      try decodeInRows(model, sampleTensor([1, 4, 4, 4]), plan)
    } throws: { error in
      (error as? SpillError)?.folder == "/proc" && "\(error)".contains("TMPDIR")
    }
  }

  @Test func aPlanNamesTheLeastMemory() throws {
    let model = small()
    var least = 0
    do {
      _ = try model.plan(.encode, height: 4096, width: 4096, byteCount: 1 << 20)
    } catch {
      least = error.neededByteCount
    }
    let plan = try model.plan(.encode, height: 4096, width: 4096, byteCount: least + (1 << 24))
    #expect(!plan.isWhole && plan.peakByteCount <= least + (1 << 24))
    #expect(plan.spilledByteCount > 0)
  }

  /// Three levels with attention in the middle and at one of them.
  private func small(upsampling: Upsample2D.Kind = .nearest) -> AutoencoderKL {
    var configuration = AutoencoderKL.Configuration()
    configuration.blockOutChannels = [16, 32, 32]
    configuration.downBlockTypes = [
      "DownEncoderBlock2D", "AttnDownEncoderBlock2D", "DownEncoderBlock2D",
    ]
    configuration.upBlockTypes = [
      "UpDecoderBlock2D", "AttnUpDecoderBlock2D", "UpDecoderBlock2D",
    ]
    configuration.layersPerBlock = 1
    configuration.normNumGroups = 8
    configuration.latentChannels = 4
    configuration.upsampleType = upsampling
    return filled(AutoencoderKL(configuration))
  }
}
