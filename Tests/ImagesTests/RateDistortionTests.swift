import Images
import Testing

@Suite struct RateDistortionTests {
  private static let curves: [[(Double, Double)]] = [
    [(0.12, 27.1), (0.25, 29.9), (0.5, 32.7), (1.0, 35.9), (1.9, 39.2)],
    [(0.1, 26.3), (0.22, 29.2), (0.47, 32.9), (0.55, 33.0), (1.3, 37.9)],
    [(0.3, 30.0), (0.9, 36.0)],
    [(0.2, 28.0), (0.25, 31.0), (0.24, 32.0), (0.8, 34.0)],
  ]

  private func curve(_ points: [(Double, Double)]) -> RateDistortionCurve {
    RateDistortionCurve(
      name: "test", points: points.map { .init(bitsPerPixel: $0.0, quality: $0.1) })
  }

  /// exp((∫P₁ − ∫P₂) / (high − low)) − 1 with scipy 1.17's `PchipInterpolator` of ln(rate).
  @Test(arguments: [
    (1, 0, 0.02079930228540916), (0, 1, -0.020375505977367703), (2, 0, -0.013872494899743404),
    (3, 0, -0.16308760641322428), (3, 2, -0.3028390746009494),
  ])
  func differencesAreThoseOfSciPy(first: Int, second: Int, expected: Double) throws {
    let difference = curve(Self.curves[first]).rateDifference(from: curve(Self.curves[second]))
    #expect(abs(try #require(difference) - expected) < 1e-12)
  }

  @Test func halfTheRateIsHalfTheRate() throws {
    let first = curve(Self.curves[0])
    let half = curve(Self.curves[0].shuffled().map { ($0.0 / 2, $0.1) })
    #expect(abs(try #require(half.rateDifference(from: first)) + 0.5) < 1e-12)
    #expect(abs(try #require(first.rateDifference(from: first))) < 1e-15)
  }

  @Test func curvesThatCannotBeComparedGiveNothing() {
    let good = curve(Self.curves[0])
    let others: [[(Double, Double)]] = [
      [], [(1, 30)], [(1, 50), (2, 60)], [(0, 30), (1, 35)], [(1, 30), (2, 30)],
      [(1, .nan), (2, 31)],
    ]
    for points in others {
      #expect(curve(points).rateDifference(from: good) == nil)
      #expect(good.rateDifference(from: curve(points)) == nil)
    }
  }

  @Test func pointsThatAnotherBeatsAreLeftOut() {
    let mixed = curve([(1, 30), (2, 30), (0.5, 29), (0.7, 28), (3, 31), (3, 30.5), (0.5, 27)])
    #expect(mixed.front == curve([(0.5, 29), (1, 30), (3, 31)]))
    #expect(curve([]).front.points.isEmpty)
    #expect(curve([(1, 30), (1, 30)]).front.points.count == 1)
  }

  @Test func pointsWithinTheOtherRangeAreCounted() {
    let wide = curve([(0.1, 20), (1, 40)])
    #expect(
      curve([(1, 19), (1, 20), (1, 25), (2, 40), (3, 41)]).pointCount(withinRangeOf: wide) == 3)
    #expect(wide.pointCount(withinRangeOf: curve([])) == 0)
  }
}
