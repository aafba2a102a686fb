import Tensors
import TestSupport
import Testing

/// Every operation against central differences, whose own error is about 1e-4.
struct LayoutGradientTests {
  private let x = sampleTensor([2, 6, 4, 5], seed: 1)

  @Test func otherOrders() {
    #expect(gradientError(at: [x]) { $0[0].squared().channelsFirst() } < 1e-3)
    #expect(gradientError(at: [x]) { $0[0].squared().channelsLast() } < 1e-3)
    #expect(gradientError(at: [x]) { $0[0].squared().transposed() } < 1e-3)
    #expect(gradientError(at: [x]) { $0[0].squared().reshaped(to: [240]) } < 1e-3)
    #expect(
      gradientError(at: [x]) { $0[0].squared().reshaped(to: [12, 4, 5]).swappingOuterAxes() }
        < 1e-3)
  }

  @Test func partsAndTheirJoining() {
    let z = sampleTensor([2, 6, 4, 3], seed: 2)
    #expect(gradientError(at: [x]) { $0[0].squared().channels(1..<4) } < 1e-3)
    #expect(gradientError(at: [x]) { $0[0].squared().images(1..<2) } < 1e-3)
    #expect(gradientError(at: [x, z]) { $0[0].concatenatedChannels(with: $0[1].squared()) } < 1e-3)
    let other = sampleTensor([3, 6, 4, 5], seed: 3)
    #expect(
      gradientError(at: [x, other]) { Tensor.concatenatedImages([$0[0].squared(), $0[1], $0[0]]) }
        < 1e-3)
    #expect(Tensor.concatenatedImages([x, other]).images(2..<5).scalars == other.scalars)
    let joined = x.concatenatedChannels(with: z)
    #expect(joined.channels(5..<8).scalars == z.scalars)
  }

  @Test func rowsOfATable() {
    let table = sampleTensor([6, 3])
    let indices = [5, 0, 0, 2, 5, 5]
    #expect(gradientError(at: [table]) { $0[0].squared().rows(indices) } < 1e-3)
    let found = table.rows([4, 1]).scalars
    #expect(found == Array(table.scalars[12..<15]) + Array(table.scalars[3..<6]))
  }

  @Test func squaresOfPixels() {
    for shape: Shape in [[2, 6, 4, 5], [1, 5, 7, 3]] {
      let x = sampleTensor(shape)
      #expect(gradientError(at: [x]) { $0[0].squared().upsampledNearest2x() } < 1e-3)
      #expect(gradientError(at: [x]) { $0[0].squared().averagePooled2x2() } < 1e-3)
    }
    // Numbers that are all further apart than the differences' step.
    let apart = Tensor((0..<105).map { Float($0 * 43 % 105) / 20 }, shape: [1, 5, 7, 3])
    #expect(gradientError(at: [apart]) { $0[0].maxPooled2x2() } < 1e-3)
    #expect(
      Tensor([1, 2, 3, 4, 5, 6], shape: [1, 2, 3, 1]).maxPooled2x2().scalars == [5])
  }

  @Test func squaresAsChannels() {
    let x = sampleTensor([2, 6, 4, 3])
    #expect(gradientError(at: [x]) { $0[0].squared().spaceToDepth(2) } < 1e-3)
    let deep = sampleTensor([2, 3, 2, 8])
    #expect(gradientError(at: [deep]) { $0[0].squared().depthToSpace(2) } < 1e-3)
  }

  @Test func ofEqualNumbersTheFirstGetsTheGradient() {
    let x = Tensor(repeating: 1, shape: [1, 2, 2, 1]).tracked()
    let found = gradients(of: x.maxPooled2x2().sum(), withRespectTo: [x])[0]
    #expect(found.scalars == [1, 0, 0, 0])
  }

  @Test func filters() {
    #expect(gradientError(at: [x]) { $0[0].squared().filtered(separably: [0.2, 0.5, 0.3]) } < 1e-3)
    let constant = Tensor(repeating: 2, shape: [1, 13, 12, 3])
    let filtered = constant.filtered(separably: [Float](repeating: 1 / 11, count: 11))
    #expect(filtered.shape == [1, 3, 2, 3])
    #expect(relativeError(filtered, Tensor(repeating: 2, shape: [1, 3, 2, 3])) < 1e-6)
  }

  @Test func products() {
    let (a, b) = (sampleTensor([5, 7], seed: 1), sampleTensor([7, 4], seed: 2))
    #expect(gradientError(at: [a, b]) { $0[0].matrixProduct($0[1]) } < 1e-3)
    let bias = sampleTensor([4], seed: 3)
    let residual = sampleTensor([5, 4], seed: 4)
    #expect(
      gradientError(at: [a, b, bias, residual]) {
        $0[0].linear($0[1], bias: $0[2], residual: $0[3])
      } < 1e-3)
  }
}
