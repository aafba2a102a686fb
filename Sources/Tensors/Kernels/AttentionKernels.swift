import CKernels

/// Queries that one iteration takes, and keys that it takes at a time: the scores between them
/// (256 KiB) stay in a core's cache.
private let queryBlock = Int(lvae_narrow_head_queries)
private let keyBlock = 512

extension Tensor {
  func attending(_ keys: Tensor, _ values: Tensor, heads: Int) -> Tensor {
    let (images, queries, channels) = (shape[0], shape[1], shape[2])
    let result = Storage(count: shape.scalarCount)
    let blocks = (queries + queryBlock - 1) / queryBlock
    let width = channels / heads
    unsafe ThreadPool.current.run(
      count: images * heads * blocks, scratchCount: queryBlock * (keyBlock + 3)
    ) { index, scratch in
      let (image, head, block) = (
        index / (heads * blocks), index / blocks % heads, index % blocks
      )
      let first = block * queryBlock
      let start = (image * queries + first) * channels + head * width
      let source = image * keys.shape[1] * channels + head * width
      unsafe attend(
        queries: storage.base + start, count: min(queryBlock, queries - first),
        keys: keys.storage.base + source, values: values.storage.base + source,
        keyCount: keys.shape[1], width: width, stride: channels,
        scratch: scratch, output: result.base + start)
    }
    return Tensor(shape: shape, storage: result)
  }
}

/// One block of queries against all keys.
///
/// Matrices have `width` columns, `stride` apart by rows.
private func attend(
  queries: UnsafePointer<Float>, count: Int, keys: UnsafePointer<Float>,
  values: UnsafePointer<Float>, keyCount: Int, width: Int, stride: Int,
  scratch: UnsafeMutablePointer<Float>, output: UnsafeMutablePointer<Float>
) {
  let isa = lvae_best_isa()
  let scale = 1 / Float(width).squareRoot()
  if width == Int(lvae_narrow_head_channels) {
    unsafe lvae_narrow_head_attention(
      isa, queries, count, keys, values, keyCount, stride, scale, output, scratch)
    return
  }
  let scores = unsafe scratch
  let maxima = unsafe scores + queryBlock * keyBlock
  let sums = unsafe maxima + queryBlock
  let corrections = unsafe sums + queryBlock
  unsafe maxima.initialize(repeating: -.infinity, count: count)
  unsafe sums.initialize(repeating: 0, count: count)
  for row in 0..<count {
    unsafe (output + row * stride).initialize(repeating: 0, count: width)
  }
  for first in Swift.stride(from: 0, to: keyCount, by: keyBlock) {
    let block = min(keyBlock, keyCount - first)
    unsafe BLAS.multiply(
      m: count, n: block, k: width, a: queries, aStride: stride,
      b: keys + first * stride, bStride: stride, transposingB: true,
      beta: 0, c: scores, cStride: block)
    unsafe lvae_softmax_block(
      isa, scores, count, block, block, scale, maxima, sums, corrections)
    unsafe lvae_scale_rows(isa, output, count, width, stride, corrections)
    unsafe BLAS.multiply(
      m: count, n: width, k: block, a: scores, aStride: block,
      b: values + first * stride, bStride: stride, beta: 1, c: output, cStride: stride)
  }
  for row in 0..<count { unsafe sums[row] = 1 / sums[row] }
  unsafe lvae_scale_rows(isa, output, count, width, stride, sums)
}
