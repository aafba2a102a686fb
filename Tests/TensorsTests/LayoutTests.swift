import Tensors
import TestSupport
import Testing

struct LayoutTests {
  @Test func channelsLastAndFirstAreInverse() {
    let planar = sampleTensor([2, 3, 17, 19])
    let x = planar.channelsLast()
    #expect(x.shape == [2, 17, 19, 3])
    #expect(x.scalars[1] == planar.scalars[17 * 19])
    #expect(x.channelsFirst().scalars == planar.scalars)
  }

  @Test func channelsSplitAndJoin() {
    let x = sampleTensor([1, 3, 5, 7])
    let joined = x.channels(0..<4).concatenatedChannels(with: x.channels(4..<7))
    #expect(joined.shape == x.shape)
    #expect(joined.scalars == x.scalars)
  }

  @Test func finiteMeansNeitherInfiniteNorNaN() {
    #expect(Tensor([1, -.greatestFiniteMagnitude, 0], shape: [3]).isFinite)
    for bad in [Float.nan, .infinity, -.infinity] {
      #expect(!Tensor([1, bad, 0], shape: [3]).isFinite)
    }
  }
}
