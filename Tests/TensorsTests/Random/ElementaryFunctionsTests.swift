import Foundation
import Tensors
import Testing

struct ElementaryFunctionsTests {
  @Test func logarithmsAreRightTo15Digits() {
    var values = [
      0x1p-53, 0x1p-32, 0.5, 0.7071067811865475, 0.7071067811865476, 1 - 0x1p-53, 1, 2.5,
    ]
    var source = PhiloxRandomSource(seed: 1)
    values += source.uniforms(count: 10_000).map { Double($0) + 0x1p-30 }
    for x in values {
      let expected = log(x)
      #expect(
        abs(ElementaryFunctions.logarithm(x) - expected) <= 1e-15 * max(abs(expected), 0x1p-52))
    }
  }

  @Test func theCircleIsRightTo15Digits() {
    var source = PhiloxRandomSource(seed: 2)
    let values =
      [0, 0.125, 0.25, 0.5, 0.75, 0.875, 1] + source.uniforms(count: 10_000).map(Double.init)
    for turns in values {
      let angle = 2 * Double.pi * turns
      for point in [
        ElementaryFunctions.circle(turns: turns), ElementaryFunctions.circle(radians: angle),
      ] {
        #expect(abs(point.cosine - cos(angle)) < 2e-15 && abs(point.sine - sin(angle)) < 2e-15)
      }
    }
  }

  @Test func quarterTurnsAreExact() {
    let points = (0...4).map { ElementaryFunctions.circle(turns: Double($0) / 4) }
    #expect(points.map(\.cosine) == [1, 0, -1, 0, 1])
    #expect(points.map(\.sine) == [0, 1, 0, -1, 0])
  }
}
