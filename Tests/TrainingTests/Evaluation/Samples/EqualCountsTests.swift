import Testing
import Training

@Suite struct EqualCountsTests {
  @Test func eachSetHasTheClassesInTheirShares() {
    // Classes in turn among samples, one behind the other among real pictures.
    let samples = (0..<30).map { $0 % 3 }
    let real = [0, 1, 2].flatMap { [Int](repeating: $0, count: 20) }
    let sets = EqualCounts(samples: (30, samples), real: (60, real))
    #expect(sets.count == 30 && Set(sets.samples).count == 30)
    let fewer = EqualCounts(samples: (30, samples), real: (24, Array(real.prefix(24))))
    #expect(fewer.count == 12 && Set(fewer.samples).count == 12)
    for label in 0..<3 {
      #expect(fewer.samples.count { samples[$0] == label } == 4)
      for half in sets.halves { #expect(half.count { real[$0] == label } == 10) }
    }
  }

  @Test func halvesHaveNothingInCommon() {
    for (samples, real) in [(100, 9), (3, 9), (1, 4), (5, 2)] {
      let sets = EqualCounts(samples: (samples, nil), real: (real, nil))
      #expect(sets.count == min(samples, real / 2))
      #expect(sets.halves.allSatisfy { $0.count == sets.count && Set($0).count == sets.count })
      #expect(Set(sets.halves[0]).isDisjoint(with: sets.halves[1]))
      #expect(sets.halves.joined().allSatisfy { (0..<real).contains($0) })
      #expect(sets.samples.allSatisfy { (0..<samples).contains($0) })
    }
  }
}
