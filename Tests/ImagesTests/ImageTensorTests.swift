import Images
import Tensors
import Testing

@Suite struct ImageTensorTests {
  @Test func allSamplesSurviveTheWayThereAndBack() {
    let samples: [UInt8] = (0..<256).flatMap { [UInt8($0), UInt8(255 - $0), 7] }
    let image = Image(16, 16, .rgb, samples)
    let tensor = image.tensor()
    #expect(tensor.shape == [1, 16, 16, 3])
    #expect(tensor.scalars[0...2] == [-1, 1, 7 / 255 * 2 - 1])
    #expect(Image(tensor).samples == image.samples)
  }

  @Test func greyIsRepeatedAndAveraged() {
    let image = Image(256, 1, .grey, (0...255).map { UInt8($0) })
    #expect(image.tensor().shape == [1, 1, 256, 3])
    #expect(Image(image.tensor(), channels: .grey).samples == image.samples)
    #expect(Image(image.tensor()).samples == image.converted(to: .rgb).samples)
  }

  @Test func sixteenBitsKeepTheirPrecision() {
    let image = Image(
      width: 1, height: 1, channels: .rgba, samples: .sixteenBit([0, 32768, 65535, 1]))
    #expect(image.tensor().scalars == [-1, Float(32768) / 65535 * 2 - 1, 1])
  }

  @Test func valuesOutsideAreClampedAndNaNIsBlack() {
    let scalars: [Float] = [
      -2, 2, .nan, .infinity, -.infinity, -.nan, .greatestFiniteMagnitude, -0.0, .ulpOfOne,
    ]
    let image = Image(Tensor(scalars, shape: [1, 1, 3, 3]))
    #expect(image.samples == .eightBit([0, 255, 0, 255, 0, 0, 255, 128, 128]))
  }

  @Test func halvesAreRoundedToEven() {
    // 0 is sample 127.5; these are exact in float32.
    let scalars: [Float] = [0, 0, 0]
    #expect(Image(Tensor(scalars, shape: [1, 1, 1, 3])).samples == .eightBit([128, 128, 128]))
    let values = (0..<3000).map { Float($0) / 1500 - 1 }
    let expected = values.map { UInt8(($0 * 127.5 + 127.5).rounded(.toNearestOrEven)) }
    #expect(Image(Tensor(values, shape: [1, 10, 100, 3])).samples == .eightBit(expected))
  }
}
