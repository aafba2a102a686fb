import Foundation
package import Images
import LatentFiles
import Models
import Tensors

/// The stages from picture files to `.latent` files, one after the other and overlapped.
package enum StageBenchmark {
  /// Measures them with pictures of our own making, in a temporary folder.
  ///
  /// - Returns: `read` (the file and its pixels), `compute` (the network), `pack` (the bytes of the
  ///   result), `write` (onto the disk), and `file`: the time between two results when all overlap.
  /// - Throws: `FileError`, `ImageError` and `CodecError`.
  package static func measure(
    _ model: PretrainedAutoencoder, size: Int, pictures: Int = 6
  ) throws -> [StageRow] {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "lvae-bench-\(ProcessInfo.processInfo.processIdentifier)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let inputs = try (0..<pictures).map { index in
      let url = folder.appending(path: "\(index).png")
      try Data(picture(size: size, seed: UInt64(index)).encoded(as: .png())).write(to: url)
      return url
    }
    let codec = LatentCodec(model)
    var runs: [String: [Double]] = [:]
    func timed<Result>(_ stage: String, _ body: () throws -> Result) rethrows -> Result {
      let start = ContinuousClock.now
      defer { runs[stage, default: []].append((ContinuousClock.now - start) / .milliseconds(1)) }
      return try body()
    }
    for (index, input) in ([inputs[0]] + inputs).enumerated() {
      // The first picture warms up.
      if index == 1 { runs = [:] }
      let image = try timed("read") { try Image(contentsOf: input) }
      let file = try timed("compute") { try codec.encode(image) }
      let bytes = try timed("pack") { try file.encoded() }
      try timed("write") { try write(bytes, beside: input) }
    }
    let report = StagePipeline().run(
      inputs, read: { try Image(contentsOf: $0) },
      compute: { _, image in try codec.encode(image) },
      write: { input, file in try write(file.encoded(), beside: input) }, report: { _, _ in })
    runs["file"] = [report.elapsed / .milliseconds(1) / Double(pictures)]
    return ["read", "compute", "pack", "write", "file"].map { stage in
      let timing = Timing(runs: runs[stage] ?? [0])
      return StageRow(
        stage: stage, medianMs: timing.median, minMs: timing.minimum, maxMs: timing.maximum)
    }
  }

  private static func write(_ bytes: [UInt8], beside input: URL) throws {
    let folders = OutputFolders()
    try folders.write(bytes, to: input.path + ".latent")
    try folders.finish()
  }

  /// Soft shapes with some noise, about as hard to compress as a photograph.
  package static func picture(size: Int, seed: UInt64) -> Image {
    var random = PhiloxRandomSource(seed: seed)
    let noise = random.uniforms(count: size * size)
    var samples = [UInt8](repeating: 0, count: size * size * 3)
    for row in 0..<size {
      for column in 0..<size {
        let pixel = row * size + column
        for channel in 0..<3 {
          let wave = (row * (channel + 1) + column * (3 - channel)) & 511
          let slope = wave < 256 ? wave : 511 - wave
          samples[pixel * 3 + channel] = UInt8(
            min(255, Float(slope) * 0.9 + noise[pixel] * 25))
        }
      }
    }
    return Image(width: size, height: size, channels: .rgb, samples: .eightBit(samples))
  }
}
