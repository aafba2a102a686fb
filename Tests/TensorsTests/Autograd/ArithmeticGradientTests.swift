import Tensors
import TestSupport
import Testing

/// Every operation against central differences, whose own error is about 1e-4.
struct ArithmeticGradientTests {
  private let x = sampleTensor([2, 3, 5, 7], seed: 1)
  private let z = sampleTensor([2, 3, 5, 7], seed: 2)
  /// Between 0.5 and 2.5.
  private var positive: Tensor { z.affine(scale: 1, offset: 1.5) }

  @Test func numbersOfTwoTensors() {
    #expect(gradientError(at: [x, z]) { $0[0] + $0[1] } < 1e-3)
    #expect(gradientError(at: [x, z]) { $0[0] - $0[1] } < 1e-3)
    #expect(gradientError(at: [x, z]) { $0[0] * $0[1] } < 1e-3)
    #expect(gradientError(at: [x, positive]) { $0[0] / $0[1] } < 1e-3)
    #expect(gradientError(at: [x]) { $0[0] * $0[0] + $0[0] } < 1e-3)
  }

  @Test func numbersWithAScalar() {
    #expect(gradientError(at: [x]) { -$0[0] } < 1e-3)
    #expect(gradientError(at: [x]) { ($0[0] * 3 + 1 - 4) / 2 } < 1e-3)
    #expect(gradientError(at: [x]) { $0[0].affine(scale: -2, offset: 1) } < 1e-3)
  }

  @Test func channelsWithTheirOwnFactors() {
    let (scale, offset) = (sampleTensor([7], seed: 3), sampleTensor([7], seed: 4))
    #expect(
      gradientError(at: [x, scale, offset]) {
        $0[0].affineChannels(scale: $0[1], offset: $0[2])
      } < 1e-3)
    let each = [3, 4].map { sampleTensor([2, 1, 1, 7], seed: $0) }
    #expect(
      gradientError(at: [x] + each) { $0[0].modulated(scale: $0[1], offset: $0[2]) } < 1e-3)
    #expect(gradientError(at: [x, each[0]]) { $0[0].modulated(offset: $0[1]) } < 1e-3)
  }

  @Test func functionsOfOneNumber() {
    #expect(gradientError(at: [x]) { $0[0].exp(scale: 0.5) } < 1e-3)
    #expect(gradientError(at: [positive]) { $0[0].log() } < 1e-3)
    #expect(gradientError(at: [positive]) { $0[0].squareRoot() } < 1e-3)
    #expect(gradientError(at: [x]) { $0[0].squared() } < 1e-3)
    #expect(gradientError(at: [x]) { ($0[0] * 3).tanh() } < 1e-3)
    #expect(gradientError(at: [x]) { ($0[0] * 3).sigmoid() } < 1e-3)
    #expect(gradientError(at: [x]) { ($0[0] * 3).softplus() } < 1e-3)
    #expect(gradientError(at: [x]) { ($0[0] * 3).activated(.silu) } < 1e-3)
    #expect(gradientError(at: [x]) { $0[0].softClamped(to: 1.5) } < 1e-3)
  }

  /// The kinks are further from every number than the step of the differences.
  @Test func functionsWithKinks() {
    let apart = Tensor(x.scalars.map { abs($0) < 0.05 ? 0.1 : $0 }, shape: x.shape)
    #expect(gradientError(at: [apart]) { $0[0].absolute() } < 1e-3)
    #expect(gradientError(at: [apart]) { $0[0].activated(.relu) } < 1e-3)
    #expect(gradientError(at: [apart]) { $0[0].leakyReLU(slope: 0.2) } < 1e-3)
    let inside = Tensor(
      x.scalars.map { abs(abs($0) - 0.5) < 0.05 ? 0 : $0 }, shape: x.shape)
    #expect(gradientError(at: [inside]) { $0[0].clamped(to: -0.5...0.5) } < 1e-3)
  }

  @Test func sumsAndMeans() {
    #expect(gradientError(at: [x]) { $0[0].squared().sum() } < 1e-3)
    #expect(gradientError(at: [x]) { $0[0].squared().mean() } < 1e-3)
    for axes in [0..<1, 1..<3, 1..<4, 3..<4, 0..<3] {
      #expect(gradientError(at: [x]) { $0[0].squared().sum(over: axes) } < 1e-3)
      #expect(gradientError(at: [x]) { $0[0].squared().mean(over: axes) } < 1e-3)
    }
    let small = sampleTensor([2, 1, 1, 7])
    #expect(gradientError(at: [small]) { $0[0].squared().expanded(to: [2, 3, 5, 7]) } < 1e-3)
    let pixels = sampleTensor([2, 3, 5, 1])
    #expect(gradientError(at: [pixels]) { $0[0].squared().expanded(to: [2, 3, 5, 7]) } < 1e-3)
  }
}

/// The values of functions against the mathematics library.
struct FunctionTests {
  @Test(arguments: [0, 1, 7, 8, 9, 15, 16, 17, 31, 33])
  func valuesAreThoseOfTheLibrary(count: Int) {
    let x = Tensor(sampleScalars(count).map { $0 * 20 }, shape: [count])
    let scalars = x.scalars.map(Double.init)
    func expect(_ found: Tensor, _ expected: (Double) -> Double) {
      let wanted = scalars.map { Float(expected($0)) }
      #expect(count == 0 || relativeError(found.scalars, wanted) < 5e-7)
    }
    expect(x.sigmoid()) { 1 / (1 + exponential(-$0)) }
    expect(x.tanh()) { 1 - 2 / (1 + exponential(2 * $0)) }
    expect(x.squared()) { $0 * $0 }
    expect(x.absolute()) { abs($0) }
    expect(x.squared().squareRoot()) { abs($0) }
    expect(x.exp(scale: 0.1).log()) { $0 / 10 }
    expect(x.leakyReLU(slope: 0.2)) { $0 < 0 ? 0.2 * $0 : $0 }
  }

  @Test func extremesOfFunctions() {
    let x = Tensor([0, -1, .infinity, .nan, Float(bitPattern: 71_362), 1], shape: [6]).log().scalars
    #expect(x[0] == -.infinity && x[1].isNaN && x[2] == .infinity && x[3].isNaN && x[5] == 0)
    #expect(abs(x[4] + 92.1034) < 1e-3)
    let soft = Tensor([-100, -30, 0, 30, 100], shape: [5]).softplus().scalars
    #expect(soft[0] < 1e-38 && abs(soft[1] / 9.357623e-14 - 1) < 1e-5)
    #expect(abs(soft[2] - 0.6931472) < 1e-6 && soft[3] == 30 && soft[4] == 100)
    let tangents = Tensor([-100, -1e-6, 0, 1e-6, 100], shape: [5]).tanh().scalars
    #expect(tangents == [-1, -1e-6, 0, 1e-6, 1])
  }

  @Test func sumsOfManyNumbersAreExactToRounding() {
    let x = Tensor(repeating: 0.1, shape: [3, 1000, 1000])
    #expect(abs(x.sum().scalars[0] - 300_000) < 0.1)
    #expect(abs(x.mean().scalars[0] - 0.1) < 1e-7)
    #expect(x.sum(over: 1..<3).scalars.allSatisfy { abs($0 - 100_000) < 0.02 })
  }
}
