import Tensors
import TestSupport
import Testing

struct SpaceToDepthTests {
  @Test func channelsAreTheSquaresPixelsInReadingOrder() {
    let x = Tensor((0..<32).map(Float.init), shape: [1, 4, 4, 2])
    let deep = x.spaceToDepth(2)
    #expect(deep.shape == [1, 2, 2, 8])
    #expect(Array(deep.scalars[..<8]) == [0, 1, 2, 3, 8, 9, 10, 11])
    #expect(Array(deep.scalars[24...]) == [20, 21, 22, 23, 28, 29, 30, 31])
  }

  @Test(arguments: [1, 2, 3, 4, 8])
  func oneIsTheInverseOfTheOther(factor: Int) {
    let x = sampleTensor([2, 3 * factor, 5 * factor, 3])
    let deep = x.spaceToDepth(factor)
    #expect(deep.shape == [2, 3, 5, 3 * factor * factor])
    #expect(deep.depthToSpace(factor).scalars == x.scalars)
  }

  @Test func squaresWithinSquaresKeepTheirPlace() {
    let x = sampleTensor([1, 8, 16, 3])
    let nested = x.spaceToDepth(2).spaceToDepth(4)
    #expect(nested.shape == [1, 1, 2, 192])
    #expect(nested.depthToSpace(4).depthToSpace(2).scalars == x.scalars)
  }

  @Test func largePicturesAreSplitAmongThreads() {
    let x = sampleTensor([1, 256, 512, 3])
    let results = [1, 2, 3].map { count in
      ThreadPool.$current.withValue(ThreadPool(threadCount: count)) { x.spaceToDepth(4).scalars }
    }
    #expect(results[0] == results[1] && results[0] == results[2])
    #expect(
      Tensor(results[0], shape: [1, 64, 128, 48]).depthToSpace(4).scalars == x.scalars)
  }
}
