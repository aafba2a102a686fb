import Models
import Pipelines
import Tensors
import TestSupport
import Testing

@Suite struct LatentDirectionTests {
  /// Latents that vary by 3 along (0.6, 0, −0.8, 0), by 0.5 along channel 1, and by 0.1 elsewhere.
  private func plantedLatents(_ positions: Int, seed: UInt64) -> Tensor {
    var random = PhiloxRandomSource(seed: seed)
    let noise = random.normals(count: positions * 4)
    var scalars: [Float] = []
    for position in 0..<positions {
      let (strong, middle) = (3 * noise[4 * position], 0.5 * noise[4 * position + 1])
      let weak = (0.1 * noise[4 * position + 2], 0.1 * noise[4 * position + 3])
      scalars += [
        0.6 * strong + 0.8 * weak.0 + 100, middle - 7, -0.8 * strong + 0.6 * weak.0, weak.1,
      ]
    }
    return Tensor(scalars, shape: [1, 1, positions, 4])
  }

  @Test func componentsFindAPlantedDirection() throws {
    var covariance = ChannelCovariance(channelCount: 4)
    for seed in 1...4 as ClosedRange<UInt64> { covariance.add(plantedLatents(5000, seed: seed)) }
    #expect(covariance.positionCount == 20_000)
    let directions = try LatentDirection.components(4, of: covariance)
    #expect(directions.map(\.name) == ["component 1", "component 2", "component 3", "component 4"])
    let first = directions[0]
    let product = abs(first.vector[0] * 0.6 - first.vector[2] * 0.8)
    #expect(product > 0.9999)
    #expect(abs(first.standardDeviation - 3) < 0.05)
    #expect(abs(abs(directions[1].vector[1]) - 1) < 1e-3)
    #expect(abs(directions[1].standardDeviation - 0.5) < 0.01)
    let shares = directions.compactMap(\.explainedVariance)
    #expect(abs(shares.reduce(0, +) - 1) < 1e-9)
    #expect(abs(shares[0] - 9 / 9.27) < 1e-3)
  }

  @Test func theCovarianceIsThatOfTheNumbers() {
    let latents = plantedLatents(50, seed: 3)
    var whole = ChannelCovariance(channelCount: 4)
    whole.add(latents)
    for channel in 0..<4 {
      let numbers = stride(from: channel, to: 200, by: 4).map { Double(latents.scalars[$0]) }
      let mean = numbers.reduce(0, +) / 50
      let variance = numbers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 50
      #expect(abs(whole.mean[channel] - mean) < 1e-9)
      #expect(abs(whole.standardDeviations[channel] - variance.squareRoot()) < 1e-9)
    }
  }

  @Test func aChannelMovesAlone() throws {
    let model = try tinyAutoencoderKL { $0.scalingFactor = 0.25 }
    let latents = sampleTensor([1, 3, 5, 4])
    let direction = try LatentDirection.channels([2], of: model)[0]
    #expect(direction.name == "channel 2" && direction.standardDeviation == 4)
    let moved = direction.moving(latents, by: -1.5)
    for (index, (old, new)) in zip(latents.scalars, moved.scalars).enumerated() {
      #expect(index % 4 == 2 ? abs(new - (old - 6)) < 1e-5 : new == old)
    }
    #expect(direction.moving(latents, by: 0).scalars == latents.scalars)
  }

  @Test func channelsAreMeasuredIfThereAreLatents() throws {
    var covariance = ChannelCovariance(channelCount: 4)
    covariance.add(plantedLatents(5000, seed: 1))
    let directions = try LatentDirection.channels(
      nil, measuredBy: covariance, of: tinyAutoencoderKL())
    #expect(directions.count == 4)
    #expect(abs(directions[1].standardDeviation - 0.5) < 0.02)
  }

  @Test func directionsThatAreNotThereAreRefused() throws {
    let model = try tinyAutoencoderKL()
    let error = #expect(throws: GenerationError.noSuchChannel(4, count: 4)) {
      try LatentDirection.channels([0, 4], of: model)
    }
    #expect(error?.description.contains("0 to 3") == true)
    var covariance = ChannelCovariance(channelCount: 4)
    #expect(throws: GenerationError.noVariance) {
      try LatentDirection.components(1, of: covariance)
    }
    covariance.add(Tensor(repeating: 2, shape: [1, 4, 4, 4]))
    #expect(throws: GenerationError.noVariance) {
      try LatentDirection.components(1, of: covariance)
    }
    #expect(throws: GenerationError.tooManyComponents(5, count: 4)) {
      try LatentDirection.components(5, of: covariance)
    }
  }
}
