import LatentFiles
import Tensors
import Testing

@Suite struct LatentQuantizerTests {
  @Test(arguments: LatentStorage.allCases.filter(\.isInteger))
  func noValueMovesByMoreThanHalfALevel(storage: LatentStorage) throws {
    let latent = Samples.latent(height: 33, width: 31, channelCount: 5)
    let quantized = try LatentQuantizer(storage: storage).quantize(latent)
    let (before, after) = (latent.scalars, quantized.dequantized().scalars)
    for index in before.indices {
      // Beside half a level, float32 rounds the scale and the result.
      let bound = quantized.planes[index % 5].scale / 2 * 1.001 + 1e-6
      #expect(abs(before[index] - after[index]) <= bound)
    }
  }

  @Test func float32LosesNothing() throws {
    let values: [Float] = [0, -0.0, 1, .leastNonzeroMagnitude, -.greatestFiniteMagnitude, 0x1p-130]
    let latent = Tensor(values, shape: [1, 2, 3, 1])
    let after = try LatentQuantizer(storage: .f32).quantize(latent).dequantized().scalars
    #expect(after.map(\.bitPattern) == values.map(\.bitPattern))
  }

  /// Every number of binary16, and what lies at and beside the middle of two neighbours.
  @Test func float16RoundsToTheNearestAndTiesToEven() throws {
    var values: [Float] = []
    var expected: [Float] = []
    for bits in UInt16(0)..<0x7BFF {
      let low = Float(Float16(bitPattern: bits))
      let high = Float(Float16(bitPattern: bits + 1))
      let middle = (low + high) / 2
      values += [low, middle, middle.nextDown, -middle.nextUp]
      expected += [low, bits % 2 == 0 ? low : high, low, -high]
    }
    let latent = Tensor(values, shape: [1, 1, values.count, 1])
    #expect(try LatentQuantizer(storage: .f16).quantize(latent).dequantized().scalars == expected)
  }

  @Test func bfloat16RoundsToTheNearestAndTiesToEven() throws {
    let pairs: [(UInt32, UInt32)] = [
      (0x3F80_7FFF, 0x3F80_0000), (0x3F80_8000, 0x3F80_0000), (0x3F80_8001, 0x3F81_0000),
      (0x3F81_8000, 0x3F82_0000), (0xBF81_7FFF, 0xBF81_0000), (0x0000_8001, 0x0001_0000),
      (0x7F7F_7FFF, 0x7F7F_0000), (0x8000_0000, 0x8000_0000),
    ]
    let latent = Tensor(pairs.map { Float(bitPattern: $0.0) }, shape: [1, 2, 4, 1])
    let after = try LatentQuantizer(storage: .bf16).quantize(latent).dequantized().scalars
    #expect(after.map(\.bitPattern) == pairs.map(\.1))
  }

  @Test(arguments: [
    (LatentStorage.f16, Float(65520)), (.f16, -1e9), (.bf16, .greatestFiniteMagnitude),
    (.int8, .greatestFiniteMagnitude),
  ])
  func aValueThatDoesNotFitIsRefused(storage: LatentStorage, value: Float) {
    let latent = Tensor([0, -value, 0, value], shape: [1, 1, 2, 2])
    let error = #expect(throws: LatentFileError.self) {
      try LatentQuantizer(storage: storage).quantize(latent)
    }
    #expect(error?.description.contains("channel 1") == true)
  }

  @Test func theGreatestHalfFits() throws {
    let latent = Tensor([65504, Float(65520).nextDown], shape: [1, 1, 2, 1])
    let after = try LatentQuantizer(storage: .f16).quantize(latent).dequantized().scalars
    #expect(after == [65504, 65504])
  }

  @Test(arguments: LatentStorage.allCases, [Float.nan, .infinity, -.infinity])
  func whatIsNotFiniteIsRefusedWithItsChannel(storage: LatentStorage, value: Float) {
    let latent = Tensor([0, 1, 2, 3, 4, value], shape: [1, 1, 2, 3])
    #expect(throws: LatentFileError.nonFiniteValue(channel: 2)) {
      try LatentQuantizer(storage: storage).quantize(latent)
    }
  }

  @Test(arguments: LatentStorage.allCases)
  func aConstantChannelStaysExact(storage: LatentStorage) throws {
    let latent = Tensor(repeating: -1.25, shape: [1, 3, 4, 2])
    let after = try LatentQuantizer(storage: storage).quantize(latent).dequantized()
    #expect(after.scalars == latent.scalars)
    #expect(after.shape == latent.shape)
  }

  @Test func theEntropyIsThatOfEachPlanesCodes() throws {
    // Channel 0: four levels, as many of each; channel 1: always the same; channel 2: 7 of one and
    // 1 of another, 8·(7/8·log₂(8/7) + 1/8·3) bits.
    let scalars = (0..<8).flatMap { index -> [Float] in
      [Float(index % 4), 5, index == 3 ? 1 : 0]
    }
    let latent = Tensor(scalars, shape: [1, 2, 4, 3])
    for storage in LatentStorage.allCases {
      let entropy = try LatentQuantizer(storage: storage).quantize(latent).entropyBits
      #expect((entropy != nil) == storage.isInteger)
      if let entropy { #expect(abs(entropy - (16 + 4.3485155456)) < 1e-8, "\(entropy)") }
    }
  }
}
