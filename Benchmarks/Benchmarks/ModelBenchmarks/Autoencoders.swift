import Benchmark
import Layers
import Models
import Tensors

private func latent(_ side: Int) -> Tensor {
  var random = PhiloxRandomSource(seed: 1)
  return .randomNormal(shape: [1, side, side, 4], using: &random)
}

private func picture(_ side: Int) -> Tensor {
  var random = PhiloxRandomSource(seed: 2)
  return .randomUniform(shape: [1, side, side, 3], using: &random)
}

private func randomized<Model: Autoencoder>(_ model: Model) -> Model {
  var model = model
  var random = PhiloxRandomSource(seed: 0)
  model.randomize(using: &random)
  return model
}

/// An `AutoencoderKL` of 1.4 million parameters with a factor of 4.
private func smallKL() -> AutoencoderKL {
  var configuration = AutoencoderKL.Configuration()
  configuration.blockOutChannels = [32, 64, 64]
  configuration.downBlockTypes = [String](repeating: "DownEncoderBlock2D", count: 3)
  configuration.upBlockTypes = [String](repeating: "UpDecoderBlock2D", count: 3)
  return randomized(AutoencoderKL(configuration))
}

let benchmarks: @Sendable () -> Void = {
  Benchmark.defaultConfiguration = .init(
    metrics: [.wallClock, .peakMemoryResident], warmupIterations: 1, maxDuration: .seconds(4),
    maxIterations: 50)
  let tiny = randomized(AutoencoderTiny(AutoencoderTiny.Configuration()))
  let small = smallKL()
  Benchmark("taesd.decode.256px") { benchmark in
    let input = latent(32)
    benchmark.startMeasurement()
    for _ in benchmark.scaledIterations { blackHole(tiny.decode(input)) }
  }
  Benchmark("taesd.encode.256px") { benchmark in
    let input = picture(256)
    benchmark.startMeasurement()
    for _ in benchmark.scaledIterations { blackHole(tiny.encode(input)) }
  }
  Benchmark("small-kl.decode.128px") { benchmark in
    let input = latent(32)
    benchmark.startMeasurement()
    for _ in benchmark.scaledIterations { blackHole(small.decode(input)) }
  }
  Benchmark("small-kl.encode.128px") { benchmark in
    let input = picture(128)
    benchmark.startMeasurement()
    for _ in benchmark.scaledIterations { blackHole(small.encode(input)) }
  }
}
