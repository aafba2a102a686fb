import Tensors
import TestSupport
import Testing

struct AttentionTests {
  @Test(arguments: [
    (1, 1, 4, 1), (5, 7, 8, 2), (130, 700, 16, 1), (257, 1025, 24, 3), (17, 33, 48, 6),
    (64, 64, 8, 1),
  ])
  func weighsValuesBySoftmax(_ sizes: (queries: Int, keys: Int, channels: Int, heads: Int)) {
    let (queries, keys, channels, heads) = sizes
    let q = sampleTensor([2, queries, channels], seed: 1).affine(scale: 4, offset: 0)
    let k = sampleTensor([2, keys, channels], seed: 2).affine(scale: 4, offset: 0)
    let v = sampleTensor([2, keys, channels], seed: 3)
    let found = q.attention(keys: k, values: v, heads: heads)
    #expect(relativeError(found.scalars, reference(q, k, v, heads)) < 5e-6)
  }

  @Test func largeScoresDoNotOverflow() {
    let q = Tensor(repeating: 100, shape: [1, 3, 4])
    let k = Tensor(repeating: 100, shape: [1, 600, 4])
    let v = sampleTensor([1, 600, 4])
    #expect(q.attention(keys: k, values: v).isFinite)
  }

  @Test func theNumberOfThreadsDoesNotMatter() {
    let x = sampleTensor([1, 300, 16])
    let results = [1, 2, 5].map { count in
      ThreadPool.$current.withValue(ThreadPool(threadCount: count)) {
        x.attention(keys: x, values: x, heads: 2).scalars
      }
    }
    #expect(results.allSatisfy { $0 == results[0] })
  }
}

private func reference(_ q: Tensor, _ k: Tensor, _ v: Tensor, _ heads: Int) -> [Float] {
  let (images, queries, channels) = (q.shape[0], q.shape[1], q.shape[2])
  let (keys, width) = (k.shape[1], channels / heads)
  let (qs, ks, vs) = (q.scalars, k.scalars, v.scalars)
  var result = [Float](repeating: 0, count: qs.count)
  for image in 0..<images {
    for head in 0..<heads {
      for query in 0..<queries {
        let start = (image * queries + query) * channels + head * width
        let weights = (0..<keys).map { key in
          exponential(
            (0..<width).reduce(0.0) {
              let other = (image * keys + key) * channels + head * width
              return $0 + Double(qs[start + $1]) * Double(ks[other + $1])
            } / Double(width).squareRoot())
        }
        let total = weights.reduce(0, +)
        for channel in 0..<width {
          let sum = (0..<keys).reduce(0.0) {
            $0 + weights[$1]
              * Double(vs[(image * keys + $1) * channels + head * width + channel])
          }
          result[start + channel] = Float(sum / total)
        }
      }
    }
  }
  return result
}
