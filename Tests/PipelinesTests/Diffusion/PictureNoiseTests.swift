import Foundation
import Pipelines
import Tensors
import TestSupport
import Testing

@Suite struct PictureNoiseTests {
  @Test(arguments: PictureNoise.Generator.allCases)
  func eachPictureHasNoiseOfItsOwn(_ generator: PictureNoise.Generator) {
    func noise(_ picture: Int, seed: UInt64 = 5) -> [Float] {
      var noise = PictureNoise(generator, seed: seed, picture: picture)
      let first = noise.next(height: 3, width: 5, channels: 4).scalars
      let second = noise.next(height: 3, width: 5, channels: 4).scalars
      #expect(first != second)
      return first
    }
    #expect(noise(1) == noise(1) && noise(1) != noise(0) && noise(1, seed: 6) != noise(1))
  }

  @Test func theArcBeginsAndEndsWithTheSeedsOwnNoise() {
    let ends = [UInt64(1), 2].map { PictureNoise(.philox, seed: $0) }
    func noise(_ source: PictureNoise) -> [[Float]] {
      var source = source
      return (0..<2).map { _ in source.next(height: 4, width: 6, channels: 4).scalars }
    }
    #expect(noise(.between(ends[0], ends[1], at: 0)) == noise(ends[0]))
    #expect(noise(.between(ends[0], ends[1], at: 1)) == noise(ends[1]))
    // The middle has the variance of noise, which a straight line would halve.
    let middle = noise(.between(ends[0], ends[1], at: 0.5))[0]
    let variance = middle.reduce(0) { $0 + $1 * $1 } / Float(middle.count)
    #expect((0.7...1.3).contains(variance))
  }

  @Test(
    .enabled(if: python != nil, "LVAE_PYTHON isn't set"),
    arguments: [(1, 3), (2, 2), (3, 5), (8, 8)])
  func torchNoiseIsThatOfPyTorch(_ height: Int, _ width: Int) throws {
    let script = """
      import torch
      torch.manual_seed(42 + 3)
      for _ in range(2):
        print(*torch.randn(1, 4, \(height), \(width)).permute(0, 2, 3, 1).flatten().tolist())
      """
    let text = String(
      decoding: try output(ofProgram: try #require(python), ["-c", script]), as: UTF8.self)
    let expected = text.split(separator: "\n").map {
      $0.split(separator: " ").compactMap { Float($0) }
    }
    var noise = PictureNoise(.torch, seed: 42, picture: 3)
    for call in 0..<2 {
      let found = noise.next(height: height, width: width, channels: 4)
      #expect(found.shape == [1, height, width, 4] && expected[call].count == found.scalars.count)
      let error = zip(found.scalars, expected[call]).map { abs($0 - $1) }.max() ?? 1
      #expect(error < 1e-6)
    }
  }
}

private let python = ProcessInfo.processInfo.environment["LVAE_PYTHON"]
