import Tensors
import Testing

struct PhiloxRandomSourceTests {
  /// The known answers that come with the authors' library.
  @Test func blocksAreTheKnownAnswers() {
    #expect(
      PhiloxRandomSource.block(counter: (0, 0, 0, 0), key: (0, 0))
        == (0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8))
    let ones = UInt32.max
    #expect(
      PhiloxRandomSource.block(counter: (ones, ones, ones, ones), key: (ones, ones))
        == (0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd))
    #expect(
      PhiloxRandomSource.block(
        counter: (0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344),
        key: (0xa409_3822, 0x299f_31d0))
        == (0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1))
  }

  @Test func aSeedFixesTheNumbersAndACopyRepeatsThem() {
    var first = PhiloxRandomSource(seed: 5)
    var second = first
    #expect(first.normals(count: 33) == second.normals(count: 33))
    #expect(first.next() == second.next())
    #expect(first.normals(count: 4) != second.stream(1).firstNormals(4))
    var other = PhiloxRandomSource(seed: 6)
    #expect(PhiloxRandomSource(seed: 5).firstNormals(4) != other.normals(count: 4))
  }

  @Test func theFirstNumbersOfSeedZeroStayAsTheyAre() {
    var source = PhiloxRandomSource(seed: 0)
    #expect(source.next() == 0xe169_c58d_6627_e8d5)
    source = PhiloxRandomSource(seed: 0)
    #expect(source.uniforms(count: 2) == [Float(0x6627e8) * 0x1p-24, Float(0xe169c5) * 0x1p-24])
  }

  @Test func streamsDependOnTheirKeysAndNotOnWhatWasDrawn() {
    let source = PhiloxRandomSource(seed: 1)
    var used = source
    _ = used.normals(count: 100)
    #expect(source.stream(3).firstNormals(8) == used.stream(3).firstNormals(8))
    let firsts = (0..<100).map { source.stream($0).firstNormals(1)[0] }
    #expect(Set(firsts).count == 100)
    #expect(
      source.stream(1).stream(2).firstNormals(4) != source.stream(2).stream(1).firstNormals(4))
  }

  @Test func aShorterFillIsThePrefixOfALonger() {
    var first = PhiloxRandomSource(seed: 9)
    let uniforms = first.uniforms(count: 40)
    for count in 0...9 {
      var second = PhiloxRandomSource(seed: 9)
      #expect(second.uniforms(count: count) == Array(uniforms[..<count]))
    }
    let source = PhiloxRandomSource(seed: 9)
    let long = source.firstNormals(40)
    for count in 0...39 { #expect(source.firstNormals(count) == Array(long[..<count])) }
  }

  /// Bounds are about five standard errors of a million numbers.
  @Test func normalsHaveTheMomentsOfTheNormalDistribution() {
    let values = PhiloxRandomSource(seed: 11).firstNormals(1_000_000).map(Double.init)
    func moment(_ power: Int) -> Double {
      values.reduce(0) { sum, x in sum + (0..<power).reduce(1) { product, _ in product * x } }
        / Double(values.count)
    }
    #expect(abs(moment(1)) < 0.005)
    #expect(abs(moment(2) - 1) < 0.008)
    #expect(abs(moment(3)) < 0.02)
    #expect(abs(moment(4) - 3) < 0.05)
  }

  @Test func uniformsAreInRangeAndEven() {
    var source = PhiloxRandomSource(seed: 12)
    let values = source.uniforms(count: 100_000)
    #expect(values.allSatisfy { (0..<1).contains($0) })
    #expect(abs(values.reduce(0) { $0 + Double($1) } / 100_000 - 0.5) < 0.005)
  }

  @Test func aTensorIsFilledInItsShape() {
    var (first, second) = (PhiloxRandomSource(seed: 2), PhiloxRandomSource(seed: 2))
    let tensor = Tensor.randomNormal(shape: [2, 3, 5], using: &first)
    #expect(tensor.shape == [2, 3, 5])
    #expect(tensor.scalars == second.normals(count: 30))
    #expect(Tensor.randomUniform(shape: [], using: &first).scalars.count == 1)
  }

  @Test func elementsCanBeShuffledBySeed() {
    var (first, second) = (PhiloxRandomSource(seed: 3), PhiloxRandomSource(seed: 3))
    #expect(Array(0..<50).shuffled(using: &first) == Array(0..<50).shuffled(using: &second))
  }
}

extension RandomSource {
  fileprivate func firstNormals(_ count: Int) -> [Float] {
    var source = self
    return source.normals(count: count)
  }
}
