import CKernels

/// Queries that are taken at a time: the probabilities of all keys for them are in memory.
private let queryBlock = 128

extension Tensor {
  /// The gradients of attention with self as queries, from that of its result: of queries, keys and
  /// values, each shaped as those.
  ///
  /// With probabilities P = softmax(q·kᵀ / √d), which are computed again, and gradient g:
  /// dv = Pᵀ·g, dP = g·vᵀ, dS = P ∘ (dP − rowsum(P ∘ dP)) / √d, dq = dS·k, dk = dSᵀ·q.
  func attentionGradients(
    _ keys: Tensor, _ values: Tensor, heads: Int, _ gradient: Tensor
  ) -> [Tensor] {
    let (images, queries, channels) = (shape[0], shape[1], shape[2])
    let keyCount = keys.shape[1]
    let blocks = (queries + queryBlock - 1) / queryBlock
    // Each part of the queries has its own sums for keys and values, which are added in order.
    let parts = min(blocks, max(1, fewestAttentionTasks / (images * heads)))
    let queryGradient = Storage(count: shape.scalarCount)
    let size = keys.shape.scalarCount
    let keyGradient = Storage(count: parts * size)
    let valueGradient = Storage(count: parts * size)
    let width = channels / heads
    unsafe ThreadPool.current.run(
      count: images * heads * parts, scratchCount: queryBlock * (2 * keyCount + 3)
    ) { index, scratch in
      let (image, head, part) = (index / (heads * parts), index / parts % heads, index % parts)
      let source = image * keyCount * channels + head * width
      for block in part * blocks / parts..<(part + 1) * blocks / parts {
        let first = block * queryBlock
        let start = (image * queries + first) * channels + head * width
        let task = unsafe AttentionGradientTask(
          count: min(queryBlock, queries - first), keyCount: keyCount, width: width,
          stride: channels, queries: storage.base + start, keys: keys.storage.base + source,
          values: values.storage.base + source, gradient: gradient.storage.base + start,
          isFirst: block == part * blocks / parts)
        unsafe task.run(
          queryGradient: queryGradient.base + start,
          keyGradient: keyGradient.base + part * size + source,
          valueGradient: valueGradient.base + part * size + source,
          scratch: scratch)
      }
    }
    return [
      Tensor(shape: shape, storage: queryGradient),
      Tensor(shape: keys.shape, storage: keyGradient.addingParts(parts, count: size)),
      Tensor(shape: keys.shape, storage: valueGradient.addingParts(parts, count: size)),
    ]
  }
}

/// A block of queries against all keys, of one head.
///
/// Matrices have `width` columns, `stride` apart by rows.
@unsafe private struct AttentionGradientTask {
  let count, keyCount, width, stride: Int
  let queries, keys, values, gradient: UnsafePointer<Float>
  /// Whether the gradients of keys and values are set, rather than added to.
  let isFirst: Bool

  func run(
    queryGradient: UnsafeMutablePointer<Float>, keyGradient: UnsafeMutablePointer<Float>,
    valueGradient: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
  ) {
    let isa = lvae_best_isa()
    let scale = unsafe 1 / Float(width).squareRoot()
    let probabilities = unsafe scratch
    let scores = unsafe probabilities + queryBlock * keyCount
    unsafe computeProbabilities(probabilities, scale, scratch: scores + queryBlock * keyCount)
    let beta: Float = unsafe isFirst ? 0 : 1
    unsafe BLAS.multiply(
      m: keyCount, n: width, k: count, a: probabilities, aStride: keyCount, transposingA: true,
      b: gradient, bStride: stride, beta: beta, c: valueGradient, cStride: stride)
    unsafe BLAS.multiply(
      m: count, n: keyCount, k: width, a: gradient, aStride: stride, b: values, bStride: stride,
      transposingB: true, beta: 0, c: scores, cStride: keyCount)
    unsafe lvae_softmax_gradient(isa, probabilities, scores, count, keyCount, scale)
    unsafe BLAS.multiply(
      m: count, n: width, k: keyCount, a: scores, aStride: keyCount, b: keys, bStride: stride,
      beta: 0, c: queryGradient, cStride: stride)
    unsafe BLAS.multiply(
      m: keyCount, n: width, k: count, a: scores, aStride: keyCount, transposingA: true,
      b: queries, bStride: stride, beta: beta, c: keyGradient, cStride: stride)
  }

  private func computeProbabilities(
    _ probabilities: UnsafeMutablePointer<Float>, _ scale: Float,
    scratch: UnsafeMutablePointer<Float>
  ) {
    let maxima = unsafe scratch
    let sums = unsafe maxima + queryBlock
    let corrections = unsafe sums + queryBlock
    unsafe maxima.initialize(repeating: -.infinity, count: count)
    unsafe sums.initialize(repeating: 0, count: count)
    unsafe BLAS.multiply(
      m: count, n: keyCount, k: width, a: queries, aStride: stride, b: keys, bStride: stride,
      transposingB: true, beta: 0, c: probabilities, cStride: keyCount)
    let isa = lvae_best_isa()
    unsafe lvae_softmax_block(
      isa, probabilities, count, keyCount, keyCount, scale, maxima, sums, corrections)
    for row in unsafe 0..<count { unsafe sums[row] = 1 / sums[row] }
    unsafe lvae_scale_rows(isa, probabilities, count, keyCount, keyCount, sums)
  }
}
