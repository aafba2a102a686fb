import Tensors
import Testing

/// Expected numbers are from PyTorch 2.13.0 on a CPU:
/// `torch.manual_seed(seed); torch.randn(count)`.
struct TorchRandomSourceTests {
  private func expectClose(_ found: some Collection<Float>, _ expected: [Float]) {
    #expect(found.count == expected.count)
    for (a, b) in zip(found, expected) { #expect(abs(a - b) <= 1e-6, "\(a) is not \(b)") }
  }

  @Test func fewNormalsAreThoseOfTorch() {
    var source = TorchRandomSource(seed: 420)
    expectClose(
      source.normals(count: 3), [-1.6976524591445923, 0.6374253034591675, 0.0781066194176])
    source = TorchRandomSource(seed: 42)
    expectClose(
      source.normals(count: 6),
      [0.33669036, 0.1288094, 0.23446236, 0.23033302, -1.1228563, -0.18632829])
  }

  @Test func sixteenNormalsAreThoseOfTorch() {
    var source = TorchRandomSource(seed: 0)
    expectClose(
      source.normals(count: 16),
      [
        -1.12583983, -1.15236020, -0.25057858, -0.43387881, 0.84871036, 0.69200915, -0.31601277,
        -2.11521935, 0.32227492, -1.26333475, 0.34998319, 0.30813393, 0.11984151, 1.23765790,
        1.11677718, -0.24727815,
      ])
    source = TorchRandomSource(seed: 42)
    expectClose(
      source.normals(count: 16).prefix(4), [1.92691529, 1.48728406, 0.90071720, -2.10552096])
  }

  @Test func aRestReplacesTheLastSixteen() {
    var source = TorchRandomSource(seed: 7)
    let values = source.normals(count: 40)
    expectClose(values[..<4], [-0.82013452, 0.39563116, 0.89890850, -1.38840389])
    expectClose(
      values[20...],
      [
        0.19844505, 0.78207266, 1.03910768, -0.72451073, -0.13543689, 0.74711823, 0.61181575,
        1.86778355, 2.51160288, -1.25478518, 0.81645650, -1.06539893, -1.63702130, 0.15771191,
        0.39574093, -1.36773968, -0.10073432, 0.23701459, 0.63268209, -0.09167717,
      ])
  }

  @Test func aSpareNormalOutlivesALongerFill() {
    var source = TorchRandomSource(seed: 3)
    expectClose(source.normals(count: 3), [0.80327606, 0.17483339, 0.08897810])
    let long = source.normals(count: 17)
    expectClose(long.prefix(2), [0.60536081, 0.61129963])
    expectClose(long.suffix(2), [-0.10924352, -0.27121457])
    expectClose(source.normals(count: 2), [-0.61371803, -0.90167642])
  }

  @Test func uniformsAreThoseOfTorchBitForBit() {
    var source = TorchRandomSource(seed: 5)
    #expect(
      source.uniforms(count: 5) == [
        0.8302518725395203, 0.12611091136932373, 0.9074696898460388, 0.8199270367622375,
        0.9201034307479858,
      ])
  }

  @Test func theSeedsLower32BitsCount() {
    var (first, second) = (TorchRandomSource(seed: 9), TorchRandomSource(seed: 9 + 1 << 32))
    #expect(first.normals(count: 20) == second.normals(count: 20))
    #expect(first.stream(1).seeded() != first.stream(2).seeded())
  }
}

extension TorchRandomSource {
  fileprivate func seeded() -> UInt64 {
    var source = self
    return source.next()
  }
}
