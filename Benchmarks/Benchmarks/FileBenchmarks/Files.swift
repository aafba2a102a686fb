import Benchmark
import Images
import LatentFiles
import Tensors

/// Slopes with noise, which no format packs to nothing.
private func picture(_ side: Int) -> Image {
  var random = PhiloxRandomSource(seed: 1)
  let noise = random.uniforms(count: side * side * 3)
  let samples = noise.indices.map { index in
    UInt8((index / 3 % side + index / 3 / side) * 230 / (2 * side) + Int(noise[index] * 25))
  }
  return Image(width: side, height: side, channels: .rgb, samples: .eightBit(samples))
}

/// The latent of a picture of 1024×1024.
private func latentFile(_ storage: LatentStorage) throws -> LatentFile {
  var random = PhiloxRandomSource(seed: 2)
  let latent = Tensor.randomNormal(shape: [1, 128, 128, 4], using: &random)
  let model = LatentModel(
    name: "none", className: "AutoencoderKL", sha256: String(repeating: "0", count: 64))
  return LatentFile(
    metadata: LatentMetadata(program: "benchmarks", model: model, spatialFactor: 8),
    latent: try LatentQuantizer(storage: storage).quantize(latent))
}

let benchmarks: @Sendable () -> Void = {
  Benchmark.defaultConfiguration = .init(
    metrics: [.wallClock, .throughput], warmupIterations: 2, maxDuration: .seconds(2),
    maxIterations: 500)
  for storage in [LatentStorage.int4, .int8, .f16, .f32] {
    Benchmark("latent.\(storage.rawValue).encode.1024px") { benchmark in
      let file = try latentFile(storage)
      benchmark.startMeasurement()
      for _ in benchmark.scaledIterations { blackHole(try file.encoded()) }
    }
    Benchmark("latent.\(storage.rawValue).decode.1024px") { benchmark in
      let bytes = try latentFile(storage).encoded()
      benchmark.startMeasurement()
      for _ in benchmark.scaledIterations { blackHole(try LatentFile(decoding: bytes)) }
    }
  }
  for (name, encoding) in [("png", ImageEncoding.png()), ("jpeg", .jpeg()), ("webp", .webP())] {
    Benchmark("\(name).read.512px") { benchmark in
      let bytes = try picture(512).encoded(as: encoding)
      benchmark.startMeasurement()
      for _ in benchmark.scaledIterations { blackHole(try Image(decoding: bytes)) }
    }
    Benchmark("\(name).write.512px") { benchmark in
      let image = picture(512)
      benchmark.startMeasurement()
      for _ in benchmark.scaledIterations { blackHole(try image.encoded(as: encoding)) }
    }
  }
}
